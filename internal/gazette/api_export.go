package gazette

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

// textsAtOnce is how many texts an export takes from the database in one
// question: memory holds no more, however large the collection is.
const textsAtOnce = 100

// eachText calls fn for every text whose work changed since a moment, in the
// order of their ids, as it reads today.
func (g *Gazette) eachText(ctx context.Context, since time.Time, fn func(*Reading) error) error {
	after := ""
	for {
		where, args := `WHERE id > $1`, []any{after}
		if !since.IsZero() {
			where += ` AND work IN (SELECT id FROM gazette_work WHERE changed_at >= $2)`
			args = append(args, db.Micros(since))
		}
		texts, err := g.store.texts(ctx, g.store.db.Reader(), where+` ORDER BY id LIMIT `+itoa(textsAtOnce), args...)
		if err != nil {
			return err
		}
		for _, t := range texts {
			rd, err := g.ReadText(ctx, t, "")
			if err != nil {
				return fmt.Errorf("%s: %w", t.ID, err)
			}
			if err := fn(rd); err != nil {
				return err
			}
		}
		if len(texts) < textsAtOnce {
			return nil
		}
		after = texts[len(texts)-1].ID
	}
}

// stream answers with something long: as it is made, without the bound of time
// of other answers. After the first byte an error can only break the answer off,
// which the reader sees.
func (a *API) stream(w http.ResponseWriter, r *http.Request, media, file string, write func(io.Writer) error) error {
	h := w.Header()
	if r.Method != http.MethodHead {
		select {
		case a.Gazette.exports <- struct{}{}:
			defer func() { <-a.Gazette.exports }()
		default:
			h.Del("Content-Encoding")
			h.Set("Retry-After", "60")
			return problem.New(problem.TooMany, "law.export_busy")
		}
	}
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.Method == http.MethodHead {
		return nil
	}
	out := &patient{w: w, control: http.NewResponseController(w)}
	b := bufio.NewWriterSize(out, 64<<10)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		a.Site.Log.WarnContext(r.Context(), "an export was broken off", "file", file, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// patient moves the deadline on while the reader reads.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

// streamPause is how long a reader may take for one piece.
const streamPause = 2 * time.Minute

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(streamPause)) // a test's writer has none
	return p.w.Write(b)
}

// gzipped compresses when the reader takes it.
func gzipped(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) func(io.Writer) error {
	w.Header().Add("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return write
	}
	w.Header().Set("Content-Encoding", "gzip")
	return func(out io.Writer) error {
		z := gzip.NewWriter(out)
		if err := write(z); err != nil {
			return err
		}
		return z.Close()
	}
}

// exportJSONL sends every text with its pieces and citations, one a line. With
// changed_since only those whose work changed.
func (a *API) exportJSONL(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	since := q.since("changed_since")
	if err := q.err(); err != nil {
		return err
	}
	return a.stream(w, r, "application/jsonl; charset=utf-8", "texts.jsonl", gzipped(w, r, func(out io.Writer) error {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		return a.Gazette.eachText(r.Context(), since, func(rd *Reading) error {
			links, err := a.Gazette.Links(r.Context(), rd.Expression.ID)
			if err != nil {
				return err
			}
			x := Exported{*rd.Work, rd.Expression, Address(rd), nil, rd.Attached}
			for _, l := range links {
				x.Links = append(x.Links, l.Link)
			}
			return e.Encode(x)
		})
	}))
}

// exportAKN sends every text as Akoma Ntoso in one archive, under its address.
func (a *API) exportAKN(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	since := q.since("changed_since")
	if err := q.err(); err != nil {
		return err
	}
	return a.stream(w, r, "application/gzip", "akn.tar.gz", func(out io.Writer) error {
		z := gzip.NewWriter(out)
		t := tar.NewWriter(z)
		err := a.Gazette.eachText(r.Context(), since, func(rd *Reading) error {
			doc, err := a.Gazette.Document(r.Context(), rd)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := akn.Write(&b, doc.Document()); err != nil {
				return err
			}
			// Two editions of one day are told apart by their text.
			name := strings.TrimPrefix(Address(rd), "/akn/") + "/" + rd.Expression.ID + ".xml"
			if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(b.Len()), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}); err != nil {
				return err
			}
			_, err = t.Write(b.Bytes())
			return err
		})
		if err != nil {
			return err
		}
		if err := t.Close(); err != nil {
			return err
		}
		return z.Close()
	})
}

// eachCitation calls fn for every citation that leads to a text held here or
// names one by its number, in the order of the citing works.
func (g *Gazette) eachCitation(ctx context.Context, fn func(l *StoredLink) error) error {
	text, eid, n := "", "", -1
	for {
		links, err := g.store.links(ctx, g.store.db.Reader(), `WHERE text > $1 OR text = $1 AND (eid > $2 OR eid = $2 AND n > $3) ORDER BY text, eid, n LIMIT 2000`, text, eid, n)
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.To == l.From {
				continue
			}
			if err := fn(l); err != nil {
				return err
			}
		}
		if len(links) < 2000 {
			return nil
		}
		last := links[len(links)-1]
		text, eid, n = last.Text, last.EID, last.N
	}
}

// citationsCSV sends the graph of citations as a table.
func (a *API) citationsCSV(w http.ResponseWriter, r *http.Request) error {
	return a.stream(w, r, "text/csv; charset=utf-8", "citations.csv", gzipped(w, r, func(out io.Writer) error {
		c := csv.NewWriter(out)
		if err := c.Write([]string{"from", "from_eid", "relation", "to", "to_eid", "to_kind", "to_number", "to_date", "text", "start", "end"}); err != nil {
			return err
		}
		err := a.Gazette.eachCitation(r.Context(), func(l *StoredLink) error {
			return c.Write([]string{l.From, l.EID, string(l.Relation), l.To, l.ToEID, l.Target.Kind, string(l.Target.Number), string(l.Target.Date), l.Text, itoa(l.Start), itoa(l.End)})
		})
		c.Flush()
		if err == nil {
			err = c.Error()
		}
		return err
	}))
}

// eliRelations are the properties of the ELI ontology for our relations.
var eliRelations = map[model.Relation]string{
	model.Cites: "cites", model.Basis: "based_on", model.Applies: "applies", model.Promulgates: "ensures_implementation_of", model.Extends: "changes",
	model.Completes: "amends", model.Amends: "amends", model.Replaces: "repeals", model.Repeals: "repeals",
}

const (
	eliOntology = "http://data.europa.eu/eli/ontology#"
	schemaOrg   = "https://schema.org/"
	rdfType     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
)

// citationsNT sends works and citations as triples (N-Triples, which is Turtle
// too) in the terms of ELI and schema.org.
func (a *API) citationsNT(w http.ResponseWriter, r *http.Request) error {
	return a.stream(w, r, "application/n-triples", "citations.nt", gzipped(w, r, func(out io.Writer) error {
		t := &triples{w: out, base: a.Site.BaseURL}
		if err := a.workTriples(r.Context(), t); err != nil {
			return err
		}
		from, seen := "", map[string]bool{}
		err := a.Gazette.eachCitation(r.Context(), func(l *StoredLink) error {
			if l.Text != from {
				from, seen = l.Text, map[string]bool{}
			}
			property := eliRelations[l.Relation]
			if l.To == "" || property == "" || seen[property+l.To] {
				return nil
			}
			seen[property+l.To] = true
			t.link(l.From, eliOntology+property, l.To)
			if s := schemaRelations[l.Relation]; s != "" {
				t.link(l.From, schemaOrg+s, l.To)
			}
			return t.err
		})
		if err == nil {
			err = t.err
		}
		return err
	}))
}

func (a *API) workTriples(ctx context.Context, t *triples) error {
	after := ""
	for {
		works, err := a.Gazette.store.works(ctx, a.Gazette.store.db.Reader(), `WHERE id > $1 ORDER BY id LIMIT 500`, after)
		if err != nil {
			return err
		}
		for _, w := range works {
			t.write("<" + t.iri(w.ID) + "> <" + rdfType + "> <" + eliOntology + "LegalResource> .\n")
			t.write("<" + t.iri(w.ID) + "> <" + rdfType + "> <" + schemaOrg + "Legislation> .\n")
			for _, l := range slices.Sorted(maps.Keys(w.Titles)) {
				t.text(w.ID, eliOntology+"title", w.Titles[l], twoLetters(l))
			}
			if w.Number != "" && !w.Suspect {
				t.text(w.ID, schemaOrg+"legislationIdentifier", string(w.Number), "")
			}
			switch w.Status.State {
			case model.InForce, model.Amended:
				t.write("<" + t.iri(w.ID) + "> <" + eliOntology + "in_force> <" + eliOntology + "InForce-inForce> .\n")
			case model.Repealed:
				t.write("<" + t.iri(w.ID) + "> <" + eliOntology + "in_force> <" + eliOntology + "InForce-notInForce> .\n")
			}
		}
		if t.err != nil || len(works) < 500 {
			return t.err
		}
		after = works[len(works)-1].ID
	}
}

// triples writes N-Triples and keeps the first error.
type triples struct {
	w    io.Writer
	base string
	err  error
}

func (t *triples) write(s string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, s)
	}
}

// iri is the whole address of a work; N-Triples knows no others.
func (t *triples) iri(id string) string {
	base := t.base
	if base == "" {
		base = "urn:akn:"
	}
	return base + id
}

func (t *triples) link(from, property, to string) {
	t.write("<" + t.iri(from) + "> <" + property + "> <" + t.iri(to) + "> .\n")
}

// literal escapes a text as N-Triples asks (section 2.3 of its grammar).
var literal = strings.NewReplacer("\\", `\\`, "\"", `\"`, "\n", `\n`, "\r", `\r`)

func (t *triples) text(subject, property, value, lang string) {
	s := "<" + t.iri(subject) + "> <" + property + "> \"" + literal.Replace(value) + "\""
	if lang != "" {
		s += "@" + lang
	}
	t.write(s + " .\n")
}
