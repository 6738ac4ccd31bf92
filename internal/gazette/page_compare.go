package gazette

import (
	"errors"
	"net/http"
	"strings"

	"diwan/internal/gazette/compare"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// compareData is the page that shows two readings side by side: two versions of
// one text with their differences, or two languages piece by piece.
type compareData struct {
	A, B      sideView
	Rows      []compareRow
	Same      int  // pieces that are the same in both, left out
	Languages bool // two languages: nothing is marked, everything is shown
	All       bool // every piece is shown
	Toggle    string
}

type sideView struct {
	workView
	Address  string
	Day      gov.Date
	TextLang string
	TextDir  string
}

type compareRow struct {
	EID      string
	Kind     string
	Title    string
	Old, New []compare.Run
}

// compare shows the readings that ?a= and ?b= name.
func (l *Law) compare(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var sides [2]*Reading
	for i, name := range []string{"a", "b"} {
		iri, err := akn.ParseIRI(q.Get(name))
		if err == nil {
			sides[i], err = l.Gazette.Read(r.Context(), iri, l.Gazette.LawLangs(web.LangOf(r)))
		} else {
			err = problem.Wrap(err, problem.Invalid, "law.compare")
		}
		if moved, ok := errors.AsType[*Moved](err); ok {
			err = problem.Wrap(moved, problem.NotFound, "law.address")
		}
		if err != nil {
			l.Site.Fail(w, r, err)
			return
		}
	}
	d := &compareData{A: l.side(sides[0], r), B: l.side(sides[1], r), All: q.Get("all") == "1"}
	d.Languages = sides[0].Expression.Lang != sides[1].Expression.Lang
	d.setRows(sides[0].Expression.Pieces, sides[1].Expression.Pieces)
	query := "?a=" + q.Get("a") + "&b=" + q.Get("b")
	path := "/law/compare" + query
	d.Toggle = query + "&all=1"
	if d.All {
		path, d.Toggle = path+"&all=1", query
	}
	title := l.Site.Printer(r).T("law.compare.title")
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/compare", Title: title, Path: path, Nav: "law", Hidden: true, Data: d})
}

func (l *Law) side(r *Reading, req *http.Request) sideView {
	v := sideView{workView: l.view(r.Work, web.LangOf(req)), Address: Address(r), Day: dateOf(r.Expression.Version), TextLang: twoLetters(r.Expression.Lang)}
	v.TextDir = l.dir(v.TextLang)
	if r.Expression.Title != "" {
		v.Title, v.Lang, v.Dir = r.Expression.Title, v.TextLang, v.TextDir
	}
	return v
}

func (d *compareData) setRows(a, b []model.Piece) {
	for _, c := range compare.Pieces(articles(a), articles(b)) {
		row := compareRow{Kind: c.Kind}
		piece := c.New
		if piece == nil {
			piece = c.Old
		}
		row.EID, row.Title = piece.EID, piece.Num
		switch {
		case d.Languages:
			if c.Old != nil {
				row.Old = []compare.Run{{Text: bodyOf(c.Old)}}
			}
			if c.New != nil {
				row.New = []compare.Run{{Text: bodyOf(c.New)}}
			}
		case c.Kind == "same":
			d.Same++
			if !d.All {
				continue
			}
			row.Old = []compare.Run{{Text: bodyOf(c.Old)}}
			row.New = row.Old
		case c.Kind == "added":
			row.New = []compare.Run{{Op: compare.Added, Text: bodyOf(c.New)}}
		case c.Kind == "removed":
			row.Old = []compare.Run{{Op: compare.Removed, Text: bodyOf(c.Old)}}
		default:
			for _, run := range compare.Words(bodyOf(c.Old), bodyOf(c.New)) {
				if run.Op != compare.Added {
					row.Old = append(row.Old, run)
				}
				if run.Op != compare.Removed {
					row.New = append(row.New, run)
				}
			}
		}
		d.Rows = append(d.Rows, row)
	}
}

// articles leaves the pieces that carry the law: not titles and signatures.
func articles(ps []model.Piece) []model.Piece {
	var out []model.Piece
	for _, p := range ps {
		switch p.Kind {
		case model.PieceNote, model.PiecePreface, model.PieceClosing:
			continue
		}
		out = append(out, p)
	}
	return out
}

func bodyOf(p *model.Piece) string {
	var b strings.Builder
	if p.Heading != "" {
		b.WriteString(p.Heading + "\n")
	}
	b.WriteString(p.Text)
	return b.String()
}
