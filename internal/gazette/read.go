package gazette

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"diwan/internal/db"
	"diwan/internal/gazette/extract"
	"diwan/internal/gazette/markup"
	"diwan/internal/gazette/model"
	"diwan/internal/gazette/structure"
	"diwan/lexis"
	"diwan/protocol/akn"
)

// read turns the bytes of a file into works and texts.
func (g *Gazette) read(ctx context.Context, r *result, data []byte, in Input) error {
	file, err := extract.Open(ctx, g.tools, in.Name, data, extract.Options{Lang: shortLang(in.Lang)})
	if err != nil {
		return err
	}
	defer file.Close()
	r.src.Format = file.Format()
	r.demo = in.Demo
	if r.src.Format == extract.FormatAKN {
		return g.readAKN(r, file.Raw(), in)
	}
	pages, err := g.readPages(ctx, r.src, file)
	if err != nil {
		return err
	}
	text := g.textOf(pages, r.src)
	text.Suspect = slices.Contains(in.Flags, FlagSuspect) || slices.Contains(in.Flags, FlagGlyphs) || g.suspectDigits(text)
	doc := structure.Parse(text, g.grammar, structure.Options{})
	r.issue = doc.Issue
	r.found = findAll(text, &doc, r.src)
	g.complete(r, in)
	return nil
}

// readAKN takes a document that is already in the gazette's own form.
func (g *Gazette) readAKN(r *result, data []byte, in Input) error {
	root, err := akn.Parse(data, akn.DefaultLimits)
	if err != nil {
		return err
	}
	cleanNodes(root)
	docs, err := markup.Read(root)
	if err != nil {
		return err
	}
	for _, d := range docs {
		if err := g.believe(&d); err != nil {
			return err
		}
		f := &found{work: d.Work, given: d.Work.ID, text: &Text{Expression: d.Expression}}
		f.text.Source = r.src.ID
		f.setPieces(d.Expression.Pieces)
		if f.text.Version == "" {
			f.text.Version = versionOf(f)
		}
		r.found = append(r.found, f)
	}
	if len(docs) > 0 {
		r.src.Lang = string(docs[0].Expression.Lang)
	}
	r.src.Confidence = 1
	g.complete(r, in)
	return nil
}

// cleanNodes takes out of a document what no text of law holds: controls and
// marks of direction, which would show words in another order than they have.
func cleanNodes(n *akn.Node) {
	n.Text = extract.Clean(n.Text)
	for i := range n.Attrs {
		n.Attrs[i].Value = extract.Clean(n.Attrs[i].Value)
	}
	for _, c := range n.Children {
		cleanNodes(c)
	}
}

// believe leaves of the facts that a document gives about itself those that have
// the form of such a fact. A document in a language that the country's law is not
// written in, or about something that is no act, is refused.
func (g *Gazette) believe(d *markup.Doc) error {
	iri, err := akn.ParseIRI(d.Work.ID)
	if err != nil || iri.Type != "act" {
		return &extract.Error{Code: extract.WrongType, Detail: "the document is not an act", Err: err}
	}
	if g.grammar.Lang(d.Expression.Lang) == nil {
		return &extract.Error{Code: extract.WrongType, Detail: "no law is written in the language of the document"}
	}
	day := func(at *model.Date) {
		if !akn.IsDay(string(*at)) {
			*at = ""
		}
	}
	day(&d.Work.Signed)
	day(&d.Expression.Version)
	if n, ok := g.grammar.Number(d.Work.Kind, string(d.Work.Number), true); ok {
		d.Work.Number = n
	} else {
		d.Work.Number = ""
	}
	refs := d.Expression.Publication[:0]
	for _, ref := range d.Expression.Publication {
		day(&ref.Date)
		if ref.Number < 1 {
			continue
		}
		if !validID(ref.Edition) {
			ref.Edition = ""
		}
		refs = append(refs, ref)
	}
	d.Expression.Publication = refs
	return nil
}

// complete gives what was found the facts of the list, its citations and its
// amending clauses.
func (g *Gazette) complete(r *result, in Input) {
	if f := named(r.found, r.src.Title); f != nil && r.src.Title != "" {
		if f.text.Title == "" {
			f.text.Title = oneLine(r.src.Title)
		}
		if f.text.Short == "" {
			f.text.Short = oneLine(r.src.Title)
		}
		if g.grammar.MarksRepeal(f.text.Lang, r.src.Title) {
			f.text.Problems = append(f.text.Problems, model.Problem{Code: ReasonRepealMark, Detail: oneLine(r.src.Title)})
		}
	}
	for _, f := range r.found {
		f.work.Demo = in.Demo
		if f.work.Subject == "" {
			f.work.Subject = in.Subject
		}
		g.analyse(f)
	}
}

// readPages reads the pages of a file, several at once, and keeps each as soon
// as it is read: a break costs one page, not a night. Pages that were kept
// before are not read again.
func (g *Gazette) readPages(ctx context.Context, src *Source, file *extract.Source) ([]*Page, error) {
	n := file.Pages()
	src.Pages = int64(n)
	paged := src.Format == extract.FormatPDF || src.Format == extract.FormatImage
	pages := make([]*Page, n)
	if paged {
		if err := g.claim(ctx, src); err != nil {
			return nil, err
		}
		kept, err := g.store.pages(ctx, g.store.db.Reader(), src.ID)
		if err != nil {
			return nil, err
		}
		for _, p := range kept {
			if p.Number >= 1 && p.Number <= n {
				pages[p.Number-1] = p
			}
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range pages {
		if pages[i] != nil {
			continue
		}
		if !paged {
			pages[i], errs[i] = g.readPage(ctx, src, file, i+1, false)
			continue
		}
		select {
		case g.pageSlots <- struct{}{}:
		case <-ctx.Done():
			wg.Wait() // they use the file
			return nil, ctx.Err()
		}
		wg.Go(func() {
			defer func() { <-g.pageSlots }()
			pages[i], errs[i] = g.readPage(ctx, src, file, i+1, true)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if paged {
		markRunning(pages)
	}
	return pages, nil
}

// claim gives a file its row before its pages are kept, so that two who read it at
// once keep them in one place.
func (g *Gazette) claim(ctx context.Context, src *Source) error {
	mine := src.ID
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		before, err := g.store.sourceByHash(ctx, tx, src.SHA256)
		if err != nil {
			return err
		}
		if src.ID = mine; before != nil {
			src.ID = before.ID
			return nil
		}
		half := *src
		half.State = SourceReading
		return g.store.putSource(ctx, tx, &half)
	})
}

// markRunning tells the heads and feet of pages, which only all pages together
// show.
func markRunning(pages []*Page) {
	all := make([]extract.Page, len(pages))
	for i, p := range pages {
		all[i].Lines = make([]extract.Line, len(p.Lines))
		for k, l := range p.Lines {
			all[i].Lines[k] = extract.Line{Text: l.Text, Role: extract.Role(l.Role)}
		}
	}
	extract.MarkRunning(all)
	for i, p := range pages {
		for k := range p.Lines {
			p.Lines[k].Role = string(all[i].Lines[k].Role)
		}
	}
}

func (g *Gazette) readPage(ctx context.Context, src *Source, file *extract.Source, n int, keep bool) (p *Page, err error) {
	defer func() { // a page that upsets a reader must not end the program
		if cause := recover(); cause != nil {
			g.log.Error("reading a page broke off", "name", src.Name, "page", n, "cause", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("page %d: reading it broke off", n)
		}
	}()
	read, image, err := file.Page(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("page %d: %w", n, err)
	}
	p = &Page{Source: src.ID, Number: n, Width: read.Width, Height: read.Height, Method: read.Method, Confidence: read.Confidence, Disagreement: read.Disagreement}
	p.Lines = make([]PageLine, len(read.Lines))
	for i, l := range read.Lines {
		role := string(l.Role)
		if l.Role == extract.Body {
			role = ""
		}
		text := storable(l.Text)
		if l.Role == extract.Row {
			text = "\t" + text // a row of a table, as pieces mark it
		}
		p.Lines[i] = PageLine{Text: text, Box: model.Box(l.Box), Confidence: l.Confidence, Role: role}
	}
	if !keep {
		return p, nil
	}
	if len(image) > 0 {
		if p.Image, err = g.files.Put(image); err != nil {
			return nil, err
		}
	}
	err = g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		half := *src
		half.State = SourceReading
		if err := g.store.putSource(ctx, tx, &half); err != nil {
			return err
		}
		return g.store.putPage(ctx, tx, p)
	})
	return p, err
}

// storable is a text that every engine keeps: valid UTF-8, without NUL.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}

// textOf joins the pages of a file and mends what the print damaged. Line n of
// the mended text is line n of the pages, so places stay known.
func (g *Gazette) textOf(pages []*Page, src *Source) *model.Text {
	t := &model.Text{}
	var raw strings.Builder
	letters, sum := 0, 0.0
	// The lines of these formats are paragraphs, each apart from the next.
	paragraphs := src.Format == extract.FormatHTML || src.Format == extract.FormatDOCX
	for _, p := range pages {
		for _, l := range p.Lines {
			if l.Role == string(extract.Header) || l.Role == string(extract.Footer) {
				continue
			}
			for part := range strings.SplitSeq(l.Text, "\n") {
				raw.WriteString(part + "\n")
				t.Lines = append(t.Lines, model.Line{Page: p.Number, Box: l.Box, Confidence: l.Confidence})
			}
			if paragraphs {
				raw.WriteString("\n")
				t.Lines = append(t.Lines, model.Line{})
			}
			letters += len(l.Text)
			sum += l.Confidence * float64(len(l.Text))
		}
	}
	src.Confidence = 1
	if letters > 0 {
		src.Confidence = sum / float64(letters)
	}
	t.Lang = g.grammar.Detect(raw.String())
	src.Lang = string(t.Lang)
	t.Body, src.Repairs = repair(raw.String())
	at := 0
	for i := range t.Lines {
		end := strings.IndexByte(t.Body[at:], '\n')
		if end < 0 {
			end = len(t.Body) - at
		}
		t.Lines[i].Span = model.Span{Start: at, End: at + end}
		if t.Lines[i].Page == 0 || t.Lines[i].Box == (model.Box{}) {
			t.Lines[i].Page = 0
		}
		at = min(len(t.Body), at+end+1)
	}
	return t
}

func repair(s string) (string, []Repair) {
	s, arabic := lexis.RepairReport(s)
	mended, french := lexis.RepairFrenchReport(s)
	if strings.Count(mended, "\n") == strings.Count(s, "\n") { // places are known by line
		s = mended
	} else {
		french = nil
	}
	var out []Repair
	for _, r := range append(arabic, french...) {
		out = append(out, Repair{string(r.Rule), r.Count})
	}
	return s, out
}

// suspectDigits tells a text whose numbers can't be trusted by its own years.
func (g *Gazette) suspectDigits(t *model.Text) bool {
	l := g.grammar.Lang(t.Lang)
	return l != nil && l.SuspectDigits(t.Body)
}

// codeOf is the stable code of why a file was not read.
func codeOf(err error) (code, detail string) {
	var e *extract.Error
	switch {
	case errors.As(err, &e):
		return string(e.Code), strings.TrimPrefix(err.Error(), string(e.Code)+": ")
	case errors.Is(err, akn.ErrTooLarge):
		return string(extract.TooLarge), err.Error()
	case errors.Is(err, akn.ErrSyntax), errors.Is(err, akn.ErrIRI):
		return string(extract.WrongType), err.Error()
	case errors.Is(err, markup.ErrNoAct):
		return string(extract.Empty), err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return string(extract.Timeout), err.Error()
	}
	return "unreadable", err.Error()
}

// shortLang is the two-letter code of a language of the law.
func shortLang(lang string) string {
	switch lang {
	case "ara", "ar":
		return "ar"
	case "fra", "fr":
		return "fr"
	}
	return ""
}
