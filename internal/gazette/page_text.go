package gazette

import (
	"errors"
	"net/http"
	"sort"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// textData is everything the page of a text says.
type textData struct {
	workView
	Reading  *Reading
	TextLang string
	TextDir  string
	Address  string // of what is shown, with its language and day
	Base     string // of the work
	Short    string
	Pieces   []pieceView
	Contents []contentView
	Parts    []contentView // of a long text: its parts, one shown at a time
	Timeline []momentView
	Langs    []langView
	Forms    []formView
	Cites    []citeView
	CitedBy  []citeView
	Citing   int
	Reasons  []reasonView
	Warnings []Warning
	Version  gov.Date
	Until    gov.Date
	Issue    *issueView
	Attached []workView
	Article  *pieceView // of the page of one article
	Chapter  string     // the container it stands in
	Prev     string
	Next     string
}

type pieceView struct {
	*model.Piece
	Lines  []lineView
	Link   string // its own address
	Short  string
	Image  string // where its page image is
	Doubt  bool   // read from a scan with doubt
	Since  gov.Date
	ByWork *workView
	Level  int // of its heading
}

// lineView is a paragraph: runs of text, some of them links; or a row of cells.
type lineView struct {
	ID    string
	Runs  []runView
	Cells []string
}

type runView struct{ Text, Href string }

type contentView struct {
	Title   string
	Href    string
	Depth   int
	Current bool
}

type momentView struct {
	Day   gov.Date
	Form  model.Form
	By    []workView
	Count int
	Href  string
	// Address is that of the version, without the language of the page.
	Address string
	Shown   bool
}

type langView struct {
	Code, Name, Dir, Href string
	Current               bool
}

type formView struct{ Name, Href string }

type citeView struct {
	workView
	Relation model.Relation
	Href     string
	Count    int
}

type reasonView struct {
	Code string
	Work *workView
	Href string
	Day  gov.Date
	Text string
}

type issueView struct {
	ID      string
	Edition gov.Text
	Number  int
	Bis     bool
	Day     gov.Date
	Page    int
}

// address shows what an address of the naming convention names.
func (l *Law) address(w http.ResponseWriter, r *http.Request) {
	iri, err := akn.ParseIRI(r.URL.Path)
	if err != nil {
		l.Site.Fail(w, r, problem.Wrap(err, problem.NotFound, "law.address"))
		return
	}
	l.Address(w, r, iri)
}

// Address shows the page of an address.
func (l *Law) Address(w http.ResponseWriter, r *http.Request, iri akn.IRI) {
	switch iri.Type {
	case "act":
	case "officialGazette":
		l.issuePage(w, r, iri)
		return
	default:
		l.Site.NoPage(w, r)
		return
	}
	part := r.URL.Query().Get("part")
	lang := web.LangOf(r)
	reading, err := l.Gazette.Read(r.Context(), iri, l.Gazette.LawLangs(lang))
	if moved, ok := errors.AsType[*Moved](err); ok {
		http.Redirect(w, r, "/"+string(lang)+moved.To, http.StatusMovedPermanently)
		return
	}
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	page, err := l.textPage(r, reading, iri, part)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	l.Site.Uncached(w, r, http.StatusOK, page)
}

// textPage describes a text, or one article of it.
func (l *Law) textPage(r *http.Request, reading *Reading, iri akn.IRI, part string) (web.Page, error) {
	lang := web.LangOf(r)
	d := &textData{workView: l.view(reading.Work, lang), Reading: reading, Address: Address(reading), Base: reading.Work.ID, Short: Short(reading.Work.ID),
		Warnings: reading.Warnings, Version: dateOf(reading.Expression.Version), Until: dateOf(reading.Expression.Until)}
	d.TextLang = twoLetters(reading.Expression.Lang)
	d.TextDir = l.dir(d.TextLang)
	if reading.Expression.Title != "" {
		d.Title, d.Lang, d.Dir = reading.Expression.Title, d.TextLang, d.TextDir
	}
	links, err := l.Gazette.Links(r.Context(), reading.Expression.ID)
	if err != nil {
		return web.Page{}, err
	}
	if err := l.around(r, d, links); err != nil {
		return web.Page{}, err
	}
	l.setPieces(d, reading, links, lang)
	title, template, path := d.Title, "gazette/text", strings.TrimSuffix(iri.String(), "/")
	if iri.Portion != "" {
		if err := l.onePiece(d, iri.Portion); err != nil {
			return web.Page{}, err
		}
		template, title = "gazette/article", d.Article.Num+" · "+d.Title
	} else {
		d.cutParts(part)
	}
	doc, err := l.Gazette.document(r.Context(), reading, false)
	if err != nil {
		return web.Page{}, err
	}
	return web.Page{Template: template, Title: title, Description: d.Title, Path: path, Nav: "law", Data: d,
		JSONLD: LinkedData(reading, doc, l.Site.BaseURL)}, nil
}

// around gathers what stands beside the text: its life, its languages, what it
// cites and what cites it.
func (l *Law) around(r *http.Request, d *textData, links []*StoredLink) error {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	citing, n, err := g.CitedBy(ctx, d.Base, "", citedShown, 0)
	if err != nil {
		return err
	}
	d.Citing = n
	for _, c := range citing {
		d.CitedBy = append(d.CitedBy, citeView{l.view(c.Work, lang), c.Relation, "/" + string(lang) + c.Work.ID + anchor(c.EID), c.Count})
	}
	ids := map[string]bool{}
	strongest := map[string]*StoredLink{}
	counts := map[string]int{}
	for _, k := range links {
		if k.To == "" || k.To == d.Base {
			continue
		}
		counts[k.To]++
		if have := strongest[k.To]; have == nil || strength(k.Relation) > strength(have.Relation) {
			strongest[k.To] = k
		}
		ids[k.To] = true
	}
	for _, m := range d.Reading.Timeline {
		for _, by := range m.By {
			ids[by] = true
		}
	}
	for _, re := range d.Work.Status.Reasons {
		if re.Work != "" {
			ids[re.Work] = true
		}
	}
	for _, a := range d.Reading.Attached {
		ids[a] = true
	}
	works, err := g.Works(ctx, sortedKeys(ids))
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(strongest) {
		if w := works[id]; w != nil {
			d.Cites = append(d.Cites, citeView{l.view(w, lang), strongest[id].Relation, "/" + string(lang) + id, counts[id]})
		}
	}
	sort.SliceStable(d.Cites, func(i, j int) bool {
		a, b := d.Cites[i], d.Cites[j]
		if a.Relation != b.Relation {
			return strength(a.Relation) > strength(b.Relation)
		}
		return a.Count > b.Count
	})
	for _, a := range d.Reading.Attached {
		if w := works[a]; w != nil {
			d.Attached = append(d.Attached, l.view(w, lang))
		}
	}
	for _, re := range d.Work.Status.Reasons {
		v := reasonView{Code: re.Code, Day: dateOf(re.Date), Text: re.Text}
		if w := works[re.Work]; w != nil {
			view := l.view(w, lang)
			v.Work, v.Href = &view, "/"+string(lang)+w.ID+anchor(re.EID)
		}
		d.Reasons = append(d.Reasons, v)
	}
	l.setTimeline(d, works, lang)
	l.setLangs(d, lang)
	for _, f := range []string{"pdf", "xml", "json", "jsonld", "txt"} {
		d.Forms = append(d.Forms, formView{f, d.Address + "." + f})
	}
	if p := d.Reading.Expression.Publication; len(p) > 0 && p[0].Number > 0 {
		d.Issue = &issueView{ID: issueAddress(g.country.Code, p[0]), Edition: g.EditionName(p[0].Edition), Number: p[0].Number, Bis: p[0].Bis, Day: dateOf(p[0].Date), Page: p[0].Page}
	}
	return nil
}

// citedShown is how many of the citing works the page of a text lists; the rest
// has a page of its own.
const citedShown = 12

// anchor leads to a piece on the page of its text.
func anchor(eid string) string {
	if eid == "" {
		return ""
	}
	return "#" + eid
}

func (l *Law) setTimeline(d *textData, works map[string]*model.Work, lang gov.Lang) {
	iri, err := akn.ParseIRI(d.Base)
	if err != nil {
		return
	}
	iri.Lang = string(d.Reading.Expression.Lang)
	for _, m := range d.Reading.Timeline {
		v := momentView{Day: dateOf(m.Day), Form: m.Form, Count: m.Pieces, Shown: m.Shown}
		for _, by := range m.By {
			if w := works[by]; w != nil {
				v.By = append(v.By, l.view(w, lang))
			}
		}
		iri.Version, iri.Original = string(m.Day), m.Day == ""
		v.Address = iri.String()
		v.Href = "/" + string(lang) + v.Address
		d.Timeline = append(d.Timeline, v)
	}
}

func (l *Law) setLangs(d *textData, lang gov.Lang) {
	seen := map[model.Lang]bool{}
	iri, err := akn.ParseIRI(d.Base)
	if err != nil {
		return
	}
	for _, t := range d.Reading.Texts {
		if seen[t.Lang] {
			continue
		}
		seen[t.Lang] = true
		code := twoLetters(t.Lang)
		v := langView{Code: code, Name: code, Dir: l.dir(code), Current: t.Lang == d.Reading.Expression.Lang}
		if c, ok := l.Site.Country.Language(gov.Lang(code)); ok {
			v.Name = c.Name
		}
		iri.Lang = string(t.Lang)
		v.Href = "/" + string(lang) + iri.String()
		d.Langs = append(d.Langs, v)
	}
}

// setPieces prepares the pieces for the page, with their citations as links.
func (l *Law) setPieces(d *textData, reading *Reading, links []*StoredLink, lang gov.Lang) {
	by := map[string][]*StoredLink{}
	for _, k := range links {
		if k.To != "" {
			by[k.EID] = append(by[k.EID], k)
		}
	}
	ps := reading.Expression.Pieces
	for i := range ps {
		p := &ps[i]
		v := pieceView{Piece: p, Link: "/" + string(lang) + d.Address + "/~" + p.EID, Level: min(p.Depth+2, 4), Doubt: p.Confidence < lowConfidence}
		if p.IsArticle() {
			v.Short = "/l/" + d.Short + "/" + p.Label
		}
		if p.Page > 0 && reading.Expression.Source != "" && p.By == "" {
			v.Image = "/" + string(lang) + "/law/pages/" + reading.Expression.Source + "/" + itoa(p.Page) + "?piece=" + reading.Expression.ID + "~" + p.EID
		}
		if p.By != "" {
			v.Since = dateOf(p.From)
			for _, m := range d.Timeline {
				for k := range m.By {
					if m.By[k].ID == p.By {
						v.ByWork = &m.By[k]
					}
				}
			}
		}
		v.Lines = linesOf(p, by[p.EID], lang)
		d.Pieces = append(d.Pieces, v)
		if p.IsContainer() || p.IsArticle() || p.Kind == model.PieceKind(model.Annex) {
			d.Contents = append(d.Contents, contentView{Title: p.Title(), Href: "#" + p.EID, Depth: p.Depth})
		}
	}
}

// linesOf cuts a piece into paragraphs, its citations as links. Text that was
// changed since its citations were read has none: their places are those of the
// first wording.
func linesOf(p *model.Piece, links []*StoredLink, lang gov.Lang) []lineView {
	if p.By != "" {
		links = nil
	}
	var out []lineView
	at := 0
	for line := range strings.Lines(p.Text) {
		start := at
		at += len(line)
		text := strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		v := lineView{ID: p.EID + "__para_" + itoa(len(out)+1)}
		if row, ok := strings.CutPrefix(text, "\t"); ok {
			v.Cells = strings.Split(row, "\t")
			out = append(out, v)
			continue
		}
		done := 0
		for _, k := range links {
			from, to := k.Start-start, k.End-start
			if from < done || to > len(text) || from >= to {
				continue
			}
			href := "/" + string(lang) + k.To
			if k.ToEID != "" {
				href += "#" + k.ToEID
			}
			if k.Target.Self {
				href = "#" + k.ToEID
				if k.ToEID == "" {
					continue
				}
			}
			if from > done {
				v.Runs = append(v.Runs, runView{Text: text[done:from]})
			}
			v.Runs = append(v.Runs, runView{text[from:to], href})
			done = to
		}
		if done < len(text) {
			v.Runs = append(v.Runs, runView{Text: text[done:]})
		}
		out = append(out, v)
	}
	return out
}

// onePiece turns the page into that of one article, with its neighbours.
func (l *Law) onePiece(d *textData, eid string) error {
	eid, _, _ = strings.Cut(eid, "__para_")
	for i := range d.Pieces {
		p := &d.Pieces[i]
		if p.EID != eid {
			if p.IsContainer() {
				d.Chapter = p.Title()
			}
			continue
		}
		d.Article = p
		for k := i - 1; k >= 0; k-- {
			if d.Pieces[k].IsArticle() {
				d.Prev = d.Pieces[k].Link
				break
			}
		}
		for k := i + 1; k < len(d.Pieces); k++ {
			if d.Pieces[k].IsArticle() {
				d.Next = d.Pieces[k].Link
				break
			}
		}
		return nil
	}
	return problem.New(problem.NotFound, "law.no_piece")
}
