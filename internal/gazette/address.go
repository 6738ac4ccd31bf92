package gazette

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"diwan/internal/gazette/markup"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// Addresses answers for the permanent addresses of the law: those of the Akoma
// Ntoso naming convention, their ELI aliases and the short ones. One address has
// several forms: a page for people, Akoma Ntoso, JSON, linked data, plain text
// and PDF, by the ending or by what the reader accepts.
type Addresses struct {
	Gazette *Gazette
	Site    *web.Site
	// Page answers with the page of an address.
	Page func(w http.ResponseWriter, r *http.Request, iri akn.IRI)
	// PDF makes the file of a reading.
	PDF func(r *Reading, lang gov.Lang) ([]byte, error)
}

// Register adds the addresses to the mux of the whole site.
func (a *Addresses) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /akn/{path...}", a.akn)
	mux.HandleFunc("GET /eli/{path...}", a.eli)
	mux.HandleFunc("GET /l/{short}", a.short)
	mux.HandleFunc("GET /l/{short}/{article}", a.short)
}

// Media types of the forms.
var mediaTypes = map[string]string{
	"html": "text/html; charset=utf-8", "xml": "application/akn+xml; charset=utf-8", "akn": "application/akn+xml; charset=utf-8",
	"json": "application/json; charset=utf-8", "jsonld": "application/ld+json; charset=utf-8", "txt": "text/plain; charset=utf-8", "pdf": "application/pdf",
}

// accepted lists what a reader may ask for, the page first: browsers accept all
// else too.
var accepted = []struct{ media, format string }{
	{"text/html", "html"}, {"application/xhtml+xml", "html"}, {"application/akn+xml", "xml"}, {"application/xml", "xml"}, {"text/xml", "xml"},
	{"application/ld+json", "jsonld"}, {"application/json", "json"}, {"text/plain", "txt"}, {"application/pdf", "pdf"},
}

// formOf is the form in which a request wants its answer (RFC 9110, section
// 12.5.1): the ending of the address, or else what Accept weighs highest.
func formOf(iri akn.IRI, accept string) string {
	if iri.Format != "" {
		return iri.Format
	}
	best, weight := "html", 0.0
	for part := range strings.SplitSeq(accept[:min(len(accept), 1000)], ",") {
		media, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		for p := range strings.SplitSeq(params, ";") {
			if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
				f, err := strconv.ParseFloat(v, 64)
				if err != nil || f < 0 || f > 1 {
					f = 0
				}
				q = f
			}
		}
		for _, a := range accepted {
			if strings.EqualFold(media, a.media) && q > weight {
				best, weight = a.format, q
			}
		}
	}
	return best
}

func (a *Addresses) akn(w http.ResponseWriter, r *http.Request) {
	iri, err := akn.ParseIRI(r.URL.Path)
	if err != nil {
		a.fail(w, r, problem.Wrap(err, problem.NotFound, "law.address"))
		return
	}
	w.Header().Add("Vary", "Accept, Accept-Language")
	form := formOf(iri, r.Header.Get("Accept"))
	if form == "html" {
		iri.Format = ""
		a.Page(w, a.Site.WithLang(r), iri)
		return
	}
	if iri.Type != "act" {
		a.fail(w, r, problem.New(problem.NotFound, "law.form"))
		return
	}
	a.answer(w, r, iri, form)
}

// answer sends a text in a form for programs.
func (a *Addresses) answer(w http.ResponseWriter, r *http.Request, iri akn.IRI, form string) {
	reading, err := a.Gazette.Read(r.Context(), iri, a.Gazette.LawLangs(a.Site.NegotiateLang(r)))
	if moved, ok := errors.AsType[*Moved](err); ok {
		http.Redirect(w, r, moved.To, http.StatusMovedPermanently)
		return
	}
	if err == nil && iri.Portion != "" {
		err = reading.keepOnly(iri.Portion)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	body, err := a.form(r, reading, form)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Language", twoLetters(reading.Expression.Lang))
	h.Set("Link", `<`+reading.Work.ID+`>; rel="canonical"`)
	web.NewRendered(mediaTypes[form], body).ServeHTTP(w, r)
}

func (a *Addresses) form(r *http.Request, reading *Reading, form string) ([]byte, error) {
	var b bytes.Buffer
	switch form {
	case "txt":
		b.WriteString(titleLine(reading) + markup.PlainText(reading.Expression.Pieces))
		return b.Bytes(), nil
	case "pdf":
		if a.PDF == nil {
			return nil, problem.New(problem.NotFound, "law.form")
		}
		select { // a long code takes seconds; whoever asks for many waits
		case a.Gazette.prints <- struct{}{}:
			defer func() { <-a.Gazette.prints }()
		case <-r.Context().Done():
			return nil, problem.Wrap(r.Context().Err(), problem.Unavailable, "law.export_busy")
		}
		return a.PDF(reading, a.Site.NegotiateLang(r))
	}
	doc, err := a.Gazette.Document(r.Context(), reading)
	if err != nil {
		return nil, err
	}
	var v any
	switch form {
	case "xml", "akn":
		err := akn.Write(&b, doc.Document())
		return b.Bytes(), err
	case "jsonld":
		v = LinkedData(reading, doc, a.Site.BaseURL)
	default:
		v = Full{Exported: Exported{*reading.Work, reading.Expression, Address(reading), doc.Links, reading.Attached},
			ELI: doc.ELI, Timeline: reading.Timeline, Warnings: reading.Warnings}
	}
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err = e.Encode(v)
	return b.Bytes(), err
}

// Full is a text with all that is known of it: the JSON form of an address.
type Full struct {
	Exported
	ELI      string    `json:"eli"`
	Timeline []Moment  `json:"timeline"`
	Warnings []Warning `json:"warnings"`
}

// keepOnly leaves one piece of a reading, with what stands below it.
func (r *Reading) keepOnly(eid string) error {
	article, _, _ := strings.Cut(eid, "__para_")
	for i, p := range r.Expression.Pieces {
		if p.EID != eid && p.EID != article {
			continue
		}
		end := i + 1
		for end < len(r.Expression.Pieces) && p.IsContainer() && r.Expression.Pieces[end].Depth > p.Depth {
			end++
		}
		r.Expression.Pieces = r.Expression.Pieces[i:end]
		return nil
	}
	return problem.New(problem.NotFound, "law.no_piece")
}

func (a *Addresses) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.Site.Fail(w, a.Site.WithLang(r), err)
}

// eli sends readers from a European Legislation Identifier to the text: kind,
// date, number, form, version, language.
func (a *Addresses) eli(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.PathValue("path"), "/"), "/")
	if len(parts) < 4 {
		a.fail(w, r, problem.New(problem.NotFound, "law.address"))
		return
	}
	iri := akn.IRI{Country: parts[0], Type: "act", Subtype: parts[1], Date: parts[2], Number: parts[3]}
	if iri.Subtype == "act" {
		iri.Subtype = ""
	}
	if len(iri.Date) > 4 && !strings.HasPrefix(iri.Number, "x-") {
		iri.Date = iri.Date[:4]
	}
	for _, p := range parts[4:] {
		switch {
		case len(p) == len("2006-01-02") && p[4] == '-':
			iri.Version = p
		case len(p) == 2:
			iri.Lang = a.Gazette.threeLetters(gov.Lang(p))
		case mediaTypes[p] != "":
			iri.Format = p
		}
	}
	if iri.Version != "" && iri.Lang == "" {
		iri.Version = ""
	}
	if _, err := akn.ParseIRI(iri.String()); err != nil {
		a.fail(w, r, problem.Wrap(err, problem.NotFound, "law.address"))
		return
	}
	http.Redirect(w, r, iri.String(), http.StatusSeeOther)
}

// short sends readers from a short link to the text as it reads now, or to one
// article of it.
func (a *Addresses) short(w http.ResponseWriter, r *http.Request) {
	work, err := a.Gazette.ByShort(r.Context(), r.PathValue("short"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	to := work.ID
	if article := r.PathValue("article"); article != "" {
		iri, err := akn.ParseIRI(work.ID + "/~art_" + article)
		if err != nil {
			a.fail(w, r, problem.Wrap(err, problem.NotFound, "law.address"))
			return
		}
		to = iri.String()
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// LinkedData describes a text in the vocabulary of schema.org (Legislation).
func LinkedData(r *Reading, doc *markup.Doc, base string) map[string]any {
	out := map[string]any{
		"@context": "https://schema.org", "@type": "Legislation", "@id": base + Address(r), "url": base + Address(r),
		"name": r.Expression.Title, "legislationIdentifier": string(r.Work.Number), "legislationType": r.Work.Kind,
		"inLanguage": twoLetters(r.Expression.Lang), "sameAs": base + doc.ELI, "isBasedOn": base + r.Work.ID,
	}
	set := func(key, value string) {
		if value != "" {
			out[key] = value
		}
	}
	set("legislationDate", string(r.Work.Signed))
	set("legislationDateVersion", string(r.Expression.Version))
	set("legislationPassedBy", r.Work.Authority)
	switch r.Work.Status.State {
	case model.InForce, model.Amended:
		out["legislationLegalForce"] = "https://schema.org/InForce"
	case model.Repealed:
		out["legislationLegalForce"] = "https://schema.org/NotInForce"
	}
	related := map[string][]map[string]string{}
	seen := map[string]bool{}
	for _, l := range doc.Links {
		key := schemaRelations[l.Relation]
		if l.To == "" || l.To == r.Work.ID || key == "" || seen[key+l.To] {
			continue
		}
		seen[key+l.To] = true
		related[key] = append(related[key], map[string]string{"@type": "Legislation", "@id": base + l.To})
	}
	for key, list := range related {
		out[key] = list
	}
	return out
}

// schemaRelations are the properties of schema.org for our relations.
var schemaRelations = map[model.Relation]string{
	model.Amends: "legislationChanges", model.Completes: "legislationChanges", model.Replaces: "legislationChanges", model.Repeals: "legislationRepeals",
	model.Applies: "legislationApplies", model.Promulgates: "legislationEnsures", model.Basis: "legislationApplies", model.Cites: "citation", model.Extends: "legislationChanges",
}
