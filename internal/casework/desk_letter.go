package casework

import (
	"net/http"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type lettersData struct {
	deskPage
	Office  gov.Text
	Rows    []Letter
	MayEdit bool
	Edit    Letter
	Fields  []string
	Langs   []gov.Language
}

func (d *Desk) letters(w http.ResponseWriter, r *http.Request) {
	l, err := d.Letter(r.Context(), d.Actor(r).Administration, r.URL.Query().Get("edit"))
	if err != nil {
		l = Letter{Lang: web.LangOf(r)}
	}
	d.showLetters(w, r, http.StatusOK, "", l)
}

func (d *Desk) showLetters(w http.ResponseWriter, r *http.Request, status int, wrong string, edit Letter) {
	data := lettersData{deskPage: d.page(r, wrong), Edit: edit, Langs: d.Country.Languages}
	for _, f := range LetterFields {
		data.Fields = append(data.Fields, "{{"+f+"}}")
	}
	data.Office = d.OfficeName(data.Who.Administration)
	data.MayEdit = d.May(r.Context(), data.Who, MayAssign, &Case{Administration: data.Who.Administration, Unit: data.Who.Unit}) == nil
	var err error
	if data.Rows, err = d.Letters(r.Context(), data.Who.Administration); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, status, "letters", d.Site.Printer(r).T("office.letter.list"), asked("/office/letters", "edit", edit.ID), data)
}

func (d *Desk) changeLetters(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	l := Letter{ID: r.PostFormValue("id"), Name: r.PostFormValue("name"), Lang: gov.Lang(r.PostFormValue("lang")), Subject: r.PostFormValue("subject"), Body: r.PostFormValue("body")}
	var err error
	switch {
	case r.PostFormValue("do") == "drop":
		err = d.DropLetter(r.Context(), d.Actor(r), l.ID)
	case l.ID != "" && !isID(l.ID):
		err = problem.New(problem.NotFound, "letter.not_found")
	default:
		_, err = d.SaveLetter(r.Context(), d.Actor(r), l)
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showLetters(w, r, http.StatusUnprocessableEntity, wrong, l)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/letters?saved=1")
}

type writeData struct {
	deskPage
	Number  string
	Rows    []Letter
	Chosen  string
	Lang    gov.Lang
	Dir     string
	Subject string
	Text    string
}

// write fills a letter in for a case, for the officer to look over before it goes.
func (d *Desk) write(w http.ResponseWriter, r *http.Request) {
	d.showWrite(w, r, http.StatusOK, "", "")
}

func (d *Desk) showWrite(w http.ResponseWriter, r *http.Request, status int, wrong, text string) {
	ctx, who := r.Context(), d.Actor(r)
	c, err := d.Find(ctx, who, r.PathValue("number"))
	if err == nil {
		err = d.may(ctx, who, MayMessage, c)
	}
	data := writeData{deskPage: d.page(r, wrong), Chosen: r.FormValue("letter")}
	if err == nil {
		data.Number = c.Number
		data.Rows, err = d.Letters(ctx, c.Administration)
	}
	if err == nil && data.Chosen != "" {
		var l Letter
		if l, err = d.Letter(ctx, c.Administration, data.Chosen); err == nil {
			data.Lang = l.Lang
			lang, _ := d.Country.Language(l.Lang)
			data.Dir = lang.Dir
			if text == "" {
				text, err = d.FillLetter(ctx, who, c, l, d.Site.Formats[l.Lang].Date)
			}
		}
		if said, ok := readers(d.Site, r, err); ok {
			data.Error, data.Chosen, err = said, "", nil
		}
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data.Subject, data.Text = splitLetter(text)
	d.show(w, r, status, "letter", d.Site.Printer(r).T("office.letter.write"), asked("/office/cases/"+c.Number+"/letter", "letter", data.Chosen), data)
}

// send puts the letter into the case as a message. Its text is what the officer left
// in the page, fields and all filled in.
func (d *Desk) send(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	subject, text := strings.Join(strings.Fields(r.PostFormValue("subject")), " "), strings.TrimSpace(r.PostFormValue("text"))
	err := error(problem.New(problem.Invalid, "letter.incomplete"))
	if subject != "" && text != "" && utf8Short(subject, maxSubject) {
		_, err = d.Act(r.Context(), d.Actor(r), r.PathValue("number"), Action{Type: MessageSent, Ref: letterRef + ":" + letterLang(d, r), Text: subject + "\n\n" + text})
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showWrite(w, r, http.StatusUnprocessableEntity, wrong, subject+"\n\n"+text)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/cases/"+r.PathValue("number")+"?saved=1#ms")
}

func utf8Short(s string, most int) bool { return len([]rune(s)) <= most }

// letterLang is the language that a letter is written in.
func letterLang(d *Desk, r *http.Request) string {
	if l := gov.Lang(r.PostFormValue("lang")); l != "" {
		if _, ok := d.Country.Language(l); ok {
			return string(l)
		}
	}
	return string(web.LangOf(r))
}

// PaperLetter is a letter that was sent in a case.
const PaperLetter = "letter"

// letter answers with a letter as a sealed document.
func (x *Receipts) letter(w http.ResponseWriter, r *http.Request) {
	c, err := x.Find(r.Context(), x.Actor(r), r.PathValue("number"))
	var f PaperFacts
	if err == nil {
		f, err = x.letterOf(r, c, strings.TrimSuffix(r.PathValue("seq"), ".pdf"))
	}
	var b []byte
	if err == nil && x.Paper == nil {
		err = problem.New(problem.Unavailable, "receipt.no_paper")
	}
	if err == nil {
		b, err = x.Paper(r, PaperLetter, f)
	}
	if err != nil {
		x.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+c.Number+`-letter.pdf"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(b)
}

func (x *Receipts) letterOf(r *http.Request, c *Case, typed string) (PaperFacts, error) {
	base, err := x.facts(r, c)
	f := PaperFacts{ReceiptFacts: base}
	if err != nil {
		return f, err
	}
	journal, err := x.Journal(r.Context(), c)
	if err != nil {
		return f, err
	}
	seq, err := strconv.Atoi(typed)
	if err != nil || seq < 1 || seq > len(journal) || letterIn(&journal[seq-1]) == "" {
		return f, problem.New(problem.NotFound, "letter.not_found")
	}
	e := journal[seq-1]
	f.Subject, f.Reasons = splitLetter(e.Text)
	f.Lang, f.On, f.At, f.Signer = letterIn(&e), e.On, e.At, x.AccountName(r.Context(), e.Actor)
	f.Content, err = x.Content(r.Context(), c)
	return f, err
}

// letterIn is the language of a letter, empty for what is none.
func letterIn(e *Event) gov.Lang {
	lang, ok := strings.CutPrefix(e.Clear.Ref, letterRef+":")
	if !ok || e.Type != MessageSent || e.Clear.Role != AsOfficer {
		return ""
	}
	return gov.Lang(lang)
}
