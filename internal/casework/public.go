package casework

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Public are the pages and data that everybody may read.
type Public struct {
	*Casework
	Site *web.Site
}

// Register adds the page to the public ones.
func (p *Public) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /casework/indicators", p.indicators)
	mux.HandleFunc("GET /casework/charters", p.chartersPage)
	mux.HandleFunc("GET /casework/charters/{administration}", p.charterPage)
}

// RegisterAPI adds the open data.
func (p *Public) RegisterAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/casework/indicators.json", p.json)
	mux.HandleFunc("GET /api/v1/casework/indicators.csv", p.csv)
}

// Bounds of the page and of years that can be asked for.
const (
	firstYear = 2020
	maxShares = 12
)

func (p *Public) year(r *http.Request) (int, error) {
	last := p.today().Year
	s := r.URL.Query().Get("year")
	if s == "" {
		return last, nil
	}
	y, err := strconv.Atoi(s)
	if err != nil || y < firstYear || y > last {
		return 0, problem.New(problem.NotFound, "indicators.year", "first", fmt.Sprint(firstYear), "last", fmt.Sprint(last))
	}
	return y, nil
}

// share is a bar: of the decisions of one procedure at one administration, how many
// of a hundred came in time, late, and by silence.
type share struct {
	Row                  *indicatorView
	InTime, Late, Silent int
	SilentX              int
}

type indicatorView struct {
	IndicatorRow
	Office gov.Text
}

type indicatorsData struct {
	*Indicators
	Years  []int
	Views  []*indicatorView
	Shares []share
	Demo   bool
}

func (p *Public) indicators(w http.ResponseWriter, r *http.Request) {
	year, err := p.year(r)
	var found *Indicators
	if err == nil {
		found, err = p.IndicatorsOf(r.Context(), year)
	}
	if err != nil {
		p.Site.Fail(w, r, err)
		return
	}
	d := indicatorsData{Indicators: found}
	for y := p.today().Year; y > p.today().Year-3 && y >= firstYear; y-- {
		d.Years = append(d.Years, y)
	}
	for _, row := range found.Rows {
		v := &indicatorView{IndicatorRow: row, Office: p.OfficeName(row.Administration)}
		d.Views, d.Demo = append(d.Views, v), d.Demo || row.Demo
		if s, ok := shareOf(v); ok && len(d.Shares) < maxShares {
			d.Shares = append(d.Shares, s)
		}
	}
	p.Site.Show(w, r, http.StatusOK, web.Page{Template: "casework/indicators", Title: p.Site.Printer(r).T("cases.indicators"), Path: "/casework/indicators", Data: d})
}

// shareOf draws a row of which every part is published.
func shareOf(v *indicatorView) (share, bool) {
	if v.InTime.Few || v.Late.Few || v.Silence.Few {
		return share{}, false
	}
	whole := v.InTime.N + v.Late.N + v.Silence.N
	if whole == 0 {
		return share{}, false
	}
	s := share{Row: v, InTime: v.InTime.N * 100 / whole, Late: v.Late.N * 100 / whole}
	s.Silent = 100 - s.InTime - s.Late
	if v.Silence.N == 0 {
		s.Late, s.Silent = 100-s.InTime, 0
	}
	s.SilentX = s.InTime + s.Late
	return s, true
}

func (p *Public) json(w http.ResponseWriter, r *http.Request) {
	if found, ok := p.asked(w, r); ok {
		write(w, http.StatusOK, found)
	}
}

func (p *Public) asked(w http.ResponseWriter, r *http.Request) (*Indicators, bool) {
	year, err := p.year(r)
	var found *Indicators
	if err == nil {
		found, err = p.IndicatorsOf(r.Context(), year)
	}
	if err != nil {
		p.Site.Fail(w, r, err)
		return nil, false
	}
	return found, true
}

// csv writes one line a row; an empty field is a number that is not published.
func (p *Public) csv(w http.ResponseWriter, r *http.Request) {
	found, ok := p.asked(w, r)
	if !ok {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="indicators-%d.csv"`, found.Year))
	out := csv.NewWriter(w)
	out.Write([]string{"year", "as_of", "administration", "procedure", "filed", "granted", "refused", "approved_by_silence", "lapsed", "returned", "withdrawn", "pending", "in_time", "late",
		"median_days", "p90_days", "extended", "appealed", "appeals_granted", "appeals_answered", "appeals_without_answer", "ratings", "mean_rating_hundredths", "complaints", "complaints_late", "demonstration"})
	for _, x := range found.Rows {
		line := []string{strconv.Itoa(found.Year), found.AsOf.String(), x.Administration, x.Procedure}
		for _, c := range []Count{x.Filed, x.Granted, x.Refused, x.Silence, x.Lapsed, x.Returned, x.Withdrawn, x.Pending, x.InTime, x.Late, x.Median, x.P90, x.Extended, x.Appealed,
			x.AppealGranted, x.AppealAnswered, x.AppealOpen, x.Ratings, x.Stars, x.Complaints, x.ComplaintsLate} {
			s := ""
			if !c.Few && !c.None {
				s = strconv.Itoa(c.N)
			}
			line = append(line, s)
		}
		out.Write(append(line, strconv.FormatBool(x.Demo)))
	}
	out.Flush()
}
