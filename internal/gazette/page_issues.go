package gazette

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// NamedIssue is an issue of the gazette that is known: held as an issue, or
// named by the texts that appeared in it.
type NamedIssue struct {
	ID   string
	Ref  model.IssueRef
	Held bool
	Demo bool
	// Texts are the works that say they appeared in it, with their page.
	Texts []IssueText
}

// IssueText is a text that appeared in an issue.
type IssueText struct {
	Work string
	Page int
}

// NamedIssues returns every issue that is known, by number: of one year, or of
// all when year is 0.
func (g *Gazette) NamedIssues(ctx context.Context, year int) ([]*NamedIssue, error) {
	where, args := "", []any(nil)
	if year != 0 {
		where, args = `WHERE head LIKE $1`, []any{"%" + strconv.Itoa(year) + "%"}
	}
	by, err := g.namedBy(ctx, where, args...)
	if err != nil {
		return nil, err
	}
	query := issueSelect
	if year != 0 {
		query += `WHERE year = $1`
		args = []any{year}
	}
	held, err := g.issues(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	for _, i := range held {
		n := by[i.ID]
		if n == nil {
			n = &NamedIssue{ID: i.ID, Ref: i.IssueRef}
			by[i.ID] = n
		}
		n.Held, n.Demo, n.Ref.Date = true, i.Demo, i.Date
	}
	var out []*NamedIssue
	for _, n := range by {
		if year == 0 || yearOf(n.Ref.Date, "") == year {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b *NamedIssue) int {
		return cmp.Or(cmp.Compare(a.Ref.Number, b.Ref.Number), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// namedBy gathers the issues that texts name. Suspect texts name none.
func (g *Gazette) namedBy(ctx context.Context, where string, args ...any) (map[string]*NamedIssue, error) {
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT work, head FROM gazette_text `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading publications: %w", err)
	}
	defer rows.Close()
	by := map[string]*NamedIssue{}
	today := g.Today().Year
	for rows.Next() {
		var work, head string
		if err := rows.Scan(&work, &head); err != nil {
			return nil, fmt.Errorf("reading publications: %w", err)
		}
		var h struct {
			Publication []model.IssueRef `json:"publication"`
		}
		if err := json.Unmarshal([]byte(head), &h); err != nil {
			return nil, fmt.Errorf("a text of %s is damaged: %w", work, err)
		}
		for _, ref := range h.Publication {
			y := yearOf(ref.Date, "")
			if ref.Number <= 0 || y == 0 || y > today+1 { // a misread date
				continue
			}
			id := issueAddress(g.country.Code, ref)
			n := by[id]
			if n == nil {
				n = &NamedIssue{ID: id, Ref: ref}
				by[id] = n
			}
			if !slices.ContainsFunc(n.Texts, func(t IssueText) bool { return t.Work == work }) {
				n.Texts = append(n.Texts, IssueText{work, ref.Page})
			}
		}
	}
	return by, rows.Err()
}

type yearsData struct {
	Years []yearView
	Held  int
	Named int
}

type yearView struct {
	Year
	Named int // issues that texts name
}

// issueYears lists the years with what is known of each, so that what is missing
// shows as missing.
func (l *Law) issueYears(w http.ResponseWriter, r *http.Request) {
	l.cached(w, r, func() (web.Page, error) {
		years, err := l.Gazette.Years(r.Context())
		if err != nil {
			return web.Page{}, err
		}
		named, err := l.Gazette.NamedIssues(r.Context(), 0)
		if err != nil {
			return web.Page{}, err
		}
		of := map[int]int{}
		for _, n := range named {
			of[yearOf(n.Ref.Date, "")]++
		}
		d := &yearsData{Named: len(named)}
		for _, y := range years {
			if y.Year > l.Gazette.Today().Year {
				continue // a misread date
			}
			d.Held += y.Issues
			d.Years = append(d.Years, yearView{y, of[y.Year]})
		}
		return web.Page{Template: "gazette/law-issues", Title: l.Site.Printer(r).T("law.issues.title"), Path: "/law/issues", Nav: "law", Data: d}, nil
	})
}

type issuesData struct {
	Year       int
	Issues     []issueRow
	Misread    int // issues whose number can't be of the year
	Missing    int // numbers between the first and the last that nobody knows
	Prev, Next int // neighbouring years, 0 at the ends
	Works      int
}

type issueRow struct {
	issueView
	Held  bool
	Demo  bool
	Texts int
	Gap   int // numbers that are missing before it
}

func (l *Law) issuesOf(w http.ResponseWriter, r *http.Request) {
	year, err := strconv.Atoi(r.PathValue("year"))
	if err != nil || year < 1 || year > 9999 {
		l.Site.NoPage(w, r)
		return
	}
	l.cached(w, r, func() (web.Page, error) {
		d, err := l.issuesData(r, year)
		if err != nil {
			return web.Page{}, err
		}
		title := l.Site.Printer(r).T("law.issues.of", "year", strconv.Itoa(year))
		return web.Page{Template: "gazette/law-issues-year", Title: title, Path: "/law/issues/" + strconv.Itoa(year), Nav: "law", Data: d}, nil
	})
}

func (l *Law) issuesData(r *http.Request, year int) (*issuesData, error) {
	named, err := l.Gazette.NamedIssues(r.Context(), year)
	if err != nil {
		return nil, err
	}
	_, works, err := l.Gazette.List(r.Context(), Filter{Year: year}, 0, 0)
	if err != nil {
		return nil, err
	}
	if len(named) == 0 && works == 0 {
		return nil, problem.New(problem.NotFound, "page.not_found")
	}
	d := &issuesData{Year: year, Works: works}
	named, d.Misread = withoutMisread(named)
	last := map[string]int{}
	for _, n := range named {
		row := issueRow{issueView: l.issueView(n.ID, n.Ref), Held: n.Held, Demo: n.Demo, Texts: len(n.Texts)}
		if before := last[n.Ref.Edition]; before > 0 && n.Ref.Number-before > 1 && n.Ref.Number-before < maxGap {
			row.Gap = n.Ref.Number - before - 1
			d.Missing += row.Gap
		}
		last[n.Ref.Edition] = n.Ref.Number
		d.Issues = append(d.Issues, row)
	}
	years, err := l.Gazette.Years(r.Context())
	for i, y := range years {
		if y.Year != year {
			continue
		}
		if i > 0 && years[i-1].Year <= l.Gazette.Today().Year {
			d.Next = years[i-1].Year
		}
		if i+1 < len(years) {
			d.Prev = years[i+1].Year
		}
	}
	return d, err
}

// withoutMisread leaves out issues whose number lies far from those of the same
// edition and year: a page number or a day was taken for it. Issues that are held
// stay.
func withoutMisread(all []*NamedIssue) (kept []*NamedIssue, misread int) {
	by := map[string][]int{}
	for _, n := range all {
		by[n.Ref.Edition] = append(by[n.Ref.Edition], n.Ref.Number)
	}
	for _, n := range all {
		numbers := by[n.Ref.Edition] // in order
		if middle := numbers[len(numbers)/2]; !n.Held && (n.Ref.Number-middle > maxGap || middle-n.Ref.Number > maxGap) {
			misread++
			continue
		}
		kept = append(kept, n)
	}
	return kept, misread
}

// maxGap is how many numbers can be missing in a row: a larger step comes from a
// misread number.
const maxGap = 400

func (l *Law) issueView(id string, ref model.IssueRef) issueView {
	edition := l.Gazette.EditionName(ref.Edition)
	if edition.Empty() && ref.Edition != "" {
		edition = gov.Text{"": ref.Edition}
	}
	return issueView{ID: id, Edition: edition, Number: ref.Number, Bis: ref.Bis, Day: dateOf(ref.Date), Page: ref.Page}
}

type issueData struct {
	issueView
	Held    bool
	Demo    bool
	Hijri   string
	Year    int
	Texts   []issueText
	Summary []summaryRow
	Unfound int // entries of the printed summary that no act was found for
	Extra   int // acts that the printed summary does not name
	Pages   []int
	Source  *Source
}

type issueText struct {
	workView
	Page int
}

// summaryRow is an entry of the table of contents that the issue prints, with
// the act that was found for it.
type summaryRow struct {
	Title string
	Page  int
	Found *workView
	Lang  string
	Dir   string
}

// issuePage shows an issue of the gazette.
func (l *Law) issuePage(w http.ResponseWriter, r *http.Request, iri akn.IRI) {
	d, err := l.issueData(r, iri.Work())
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	t := l.Site.Printer(r)
	edition, _ := d.Edition.In(web.LangOf(r), l.Site.Country.Order())
	title := strings.TrimSpace(edition + " " + t.T("law.issue.number", "number", strconv.Itoa(d.Number)))
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-issue", Title: title, Path: d.ID, Nav: "law", Data: d})
}

func (l *Law) issueData(r *http.Request, id string) (*issueData, error) {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	iri, err := akn.ParseIRI(id)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "law.address")
	}
	number, _, _ := strings.Cut(iri.Number, "-")
	if _, err := strconv.Atoi(number); err != nil {
		return nil, problem.New(problem.NotFound, "law.issue_not_found")
	}
	by, err := g.namedBy(ctx, `WHERE head LIKE $1`, `%"number":`+number+`%`)
	if err != nil {
		return nil, err
	}
	d := &issueData{}
	held, err := g.Issue(ctx, id)
	switch {
	case err == nil:
		d.issueView, d.Held, d.Demo, d.Hijri = l.issueView(id, held.IssueRef), true, held.Demo, held.Hijri.Printed
	case !problem.Is(err, problem.NotFound):
		return nil, err
	case by[id] == nil:
		return nil, err
	default:
		d.issueView, d.Hijri = l.issueView(id, by[id].Ref), by[id].Ref.Hijri.Printed
	}
	d.issueView.Page, d.Year = 0, d.Day.Year
	pages := map[string]int{}
	var ids []string
	add := func(work string, page int) {
		if _, ok := pages[work]; !ok {
			ids = append(ids, work)
			pages[work] = page
		}
	}
	if held != nil {
		if err := l.heldIssue(r, d, held, add); err != nil {
			return nil, err
		}
	}
	if n := by[id]; n != nil {
		for _, t := range n.Texts {
			add(t.Work, t.Page)
		}
	}
	works, err := g.Works(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if w := works[id]; w != nil {
			d.Texts = append(d.Texts, issueText{l.view(w, lang), pages[id]})
		}
	}
	return d, nil
}

// heldIssue adds what was read from the file of an issue: its acts in their
// order, its printed summary against them, its pages.
func (l *Law) heldIssue(r *http.Request, d *issueData, held *Issue, add func(work string, page int)) error {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	src, err := g.store.source(ctx, g.store.db.Reader(), held.Source)
	if err != nil {
		return err
	}
	d.Source = src
	texts, works, err := g.InSource(ctx, held.Source)
	if err != nil {
		return err
	}
	slices.SortFunc(texts, func(a, b *Text) int { return cmp.Compare(textNumber(a.ID), textNumber(b.ID)) })
	published := map[string]bool{} // by another act of the same issue
	for _, t := range texts {
		add(t.Work, 0)
		for _, a := range t.Attached {
			published[a] = true
		}
	}
	var acts []*model.Work // the acts of the issue, without what they publish
	for _, t := range texts {
		if w := works[t.Work]; w != nil && !published[t.Work] {
			acts = append(acts, w)
		}
	}
	code := twoLetters(model.Lang(src.Lang))
	named := map[int]bool{}
	for _, e := range held.Summary {
		row := summaryRow{Title: e.Title, Page: e.Page, Lang: code, Dir: l.dir(code)}
		if e.Act >= 0 && e.Act < len(acts) {
			v := l.view(acts[e.Act], lang)
			row.Found = &v
			named[e.Act] = true
		} else {
			d.Unfound++
		}
		d.Summary = append(d.Summary, row)
	}
	if len(held.Summary) > 0 {
		d.Extra = len(acts) - len(named)
	}
	pages, err := g.store.pages(ctx, g.store.db.Reader(), held.Source)
	for _, p := range pages {
		d.Pages = append(d.Pages, p.Number)
	}
	return err
}

// textNumber is the place of a text in its source.
func textNumber(id string) int {
	_, n, _ := strings.Cut(id, "-")
	k, _ := strconv.Atoi(n)
	return k
}
