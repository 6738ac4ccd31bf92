package gazette

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"diwan/internal/gazette/compare"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type imageData struct {
	Source *Source
	Pages  int
	Prev   string
	Next   string
	scanView
	OCR      bool
	Percent  int // confidence
	Checked  bool
	TextLang string
	TextDir  string
	Lines    []imageLine
	Piece    *model.Piece
	Work     *workView
	PieceAt  string // address of the piece in its text
	Texts    []pagePiece
	Fixed    []fixedView
}

// scanView is the image of a page, or a part of it, with a box that is marked.
type scanView struct {
	Image  string // its address; "" none was kept
	Number int
	Width  int
	Height int
	View   string // what is shown of it: x, y, width, height
	Box    model.Box
	Marked bool
}

// scan is the whole image of a page with a box; an empty box marks nothing.
func scan(lang string, p *Page, box model.Box) scanView {
	if p.Image == "" || p.Width <= 0 || p.Height <= 0 {
		return scanView{Number: p.Number}
	}
	return scanView{Image: imageAddress(lang, p), Number: p.Number, Width: p.Width, Height: p.Height, View: fmt.Sprintf("0 0 %d %d", p.Width, p.Height),
		Box: box, Marked: box.W > 0 && box.H > 0}
}

// around shows the part of the page about the box, large enough to read.
func (s scanView) around() scanView {
	if !s.Marked {
		return s
	}
	margin := s.Width / 30
	x, y := max(0, s.Box.X-margin), max(0, s.Box.Y-2*margin)
	s.View = fmt.Sprintf("%d %d %d %d", x, y, min(s.Width-x, s.Box.W+2*margin), min(s.Height-y, s.Box.H+4*margin))
	return s
}

// imageLine is a line as it was read, with whether it needs a second look.
type imageLine struct {
	Text  string
	Doubt bool
	On    bool // it lies in the piece that is marked
}

// pagePiece is an article that begins on the page.
type pagePiece struct {
	Title string
	Href  string
	Doubt bool
}

// fixedView is a correction of a piece on the page.
type fixedView struct {
	EID  string
	Day  gov.Date
	Why  string
	Who  gov.Text
	Runs []compare.Run
}

// page shows a page of a source beside what was read from it: the image is the
// authority, and a reader can see at once whether a word was misread.
func (l *Law) page(w http.ResponseWriter, r *http.Request) {
	d, err := l.imageData(r)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	t := l.Site.Printer(r)
	path := "/law/pages/" + d.Source.ID + "/" + strconv.Itoa(d.Number)
	if q := r.URL.Query().Get("piece"); d.Piece != nil {
		path += "?piece=" + q
	}
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-page", Title: t.T("law.page.title", "page", strconv.Itoa(d.Number)) + " · " + titleOfSource(d.Source),
		Path: path, Nav: "law", Hidden: true, Data: d})
}

func titleOfSource(s *Source) string {
	if s.Title != "" {
		return s.Title
	}
	return s.Name
}

func (l *Law) imageData(r *http.Request) (*imageData, error) {
	g, ctx, q := l.Gazette, r.Context(), l.Gazette.store.db.Reader()
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 {
		return nil, problem.New(problem.NotFound, "law.page_not_found")
	}
	p, err := g.store.page(ctx, q, r.PathValue("source"), n)
	if err != nil {
		return nil, err
	}
	src, err := g.store.source(ctx, q, p.Source)
	if err != nil {
		return nil, err
	}
	base := "/" + string(web.LangOf(r)) + "/law/pages/" + src.ID + "/"
	d := &imageData{Source: src, Pages: int(src.Pages), OCR: p.Method == "ocr",
		Percent: percent(p.Confidence), Checked: !p.Checked.IsZero()}
	if n > 1 {
		d.Prev = base + strconv.Itoa(n-1)
	}
	if n < d.Pages {
		d.Next = base + strconv.Itoa(n+1)
	}
	d.TextLang = twoLetters(model.Lang(src.Lang))
	d.TextDir = l.dir(d.TextLang)
	if err := l.onPage(r, d, p); err != nil {
		return nil, err
	}
	for _, line := range p.Lines {
		d.Lines = append(d.Lines, imageLine{line.Text, line.Confidence < lowConfidence, d.Marked && inside(line.Box, d.Box)})
	}
	return d, nil
}

// percent is a share as a whole number of hundredths.
func percent(share float64) int { return int(share*100 + 0.5) }

// imageAddress names the bytes of the image, so that browsers may keep them.
func imageAddress(lang string, p *Page) string {
	return "/" + lang + "/law/images/" + p.Source + "/" + strconv.Itoa(p.Number) + "?v=" + p.Image[:min(12, len(p.Image))]
}

// inside tells whether most of a line lies in a box.
func inside(line, box model.Box) bool {
	y, x := line.Y+line.H/2, line.X+line.W/2
	return y >= box.Y && y < box.Y+box.H && x >= box.X && x < box.X+box.W
}

// onPage finds the pieces that begin on a page, the one that is asked for, and
// what was corrected in them.
func (l *Law) onPage(r *http.Request, d *imageData, p *Page) error {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	rows, err := g.store.rows(ctx, g.store.db.Reader(), `WHERE text IN (SELECT id FROM gazette_text WHERE source = $1) AND page = $2 AND by_work = ''
		ORDER BY text, position`, p.Source, p.Number)
	if err != nil {
		return err
	}
	box := model.Box{}
	textID, eid, _ := strings.Cut(r.URL.Query().Get("piece"), "~")
	for _, row := range rows {
		if row.IsArticle() {
			d.Texts = append(d.Texts, pagePiece{row.Num, "/" + string(lang) + row.Work + "#" + row.EID, row.Confidence < lowConfidence})
		}
		if row.TextID != textID || row.EID != eid {
			continue
		}
		work, err := g.store.work(ctx, g.store.db.Reader(), row.Work)
		if err != nil {
			return err
		}
		v := l.view(work, lang)
		d.Piece, d.Work, d.PieceAt = &row.Piece, &v, "/"+string(lang)+row.Work+"#"+row.EID
		box = row.Box
	}
	d.scanView = scan(string(lang), p, box)
	fixed, err := g.corrections(ctx, `WHERE (before_text <> after_text OR before_num <> after_num OR before_heading <> after_heading) AND text IN (SELECT id FROM gazette_text WHERE source = $1) ORDER BY at DESC`, p.Source)
	if err != nil {
		return err
	}
	at := map[string]bool{}
	for _, row := range rows {
		at[row.TextID+"~"+row.EID] = true
	}
	for _, c := range fixed {
		if at[c.Text+"~"+c.EID] {
			before, after := c.Whole()
			d.Fixed = append(d.Fixed, fixedView{EID: c.EID, Day: gov.DateOf(c.At, l.Site.Country.Zone()), Why: c.Why, Runs: compare.Words(before, after)})
		}
	}
	return nil
}

// image serves the picture of a page. Its address carries the beginning of the
// hash of its bytes, so it can be kept for good.
func (l *Law) image(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 {
		l.Site.NoPage(w, r)
		return
	}
	p, err := l.Gazette.store.page(r.Context(), l.Gazette.store.db.Reader(), r.PathValue("source"), n)
	if err == nil && p.Image == "" {
		err = problem.New(problem.NotFound, "law.page_not_found")
	}
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Etag", `"`+p.Image[:min(24, len(p.Image))]+`"`)
	h.Set("Cache-Control", "no-cache")
	if v := r.URL.Query().Get("v"); len(v) >= 12 && strings.HasPrefix(p.Image, v) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), h.Get("Etag")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	data, err := l.Gazette.files.Get(p.Image)
	if err != nil {
		h.Del("Etag")
		h.Del("Cache-Control")
		if errors.Is(err, fs.ErrNotExist) {
			err = problem.Wrap(err, problem.NotFound, "law.page_not_found")
		}
		l.Site.Fail(w, r, err)
		return
	}
	h.Set("Content-Type", http.DetectContentType(data))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}
