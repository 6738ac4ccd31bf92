package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"diwan/internal/gov"
)

// Bounds of a form document.
const (
	MaxBytes     = 512 << 10
	maxDepth     = 48
	maxPages     = 60
	maxQuestions = 200
	maxOptions   = 400
	maxRepeat    = 20
	maxWords     = 4000 // characters of one text in one language
	maxExpr      = 1000 // characters of one expression
)

// Form is a form document that was found sound. It never changes and may be
// used by everyone at once.
type Form struct {
	doc       Doc
	root      *shape
	schema    *jsonschema.Schema
	pages     []*page
	questions []*question
}

type page struct {
	Page
	number    int
	when      *expr
	questions []*question
}

type question struct {
	Question
	number int    // among all questions, in the order of asking
	full   string // the path from the root: "owners.[].share" in a group
	path   []string
	spec   kindSpec
	shape  *shape
	schema *jsonschema.Schema
	page   *page
	when   *expr
	calc   *expr
	must   []*expr
	at     string // where it stands in the document
}

// Parse reads a form document. A document that is refused answers Faults, each
// with the place and a stable code; a form that Parse returned can be worked
// with without further doubt.
func Parse(b []byte) (*Form, error) {
	if len(b) > MaxBytes {
		return nil, Faults{fault("", "form_document.large", "max", fmt.Sprint(MaxBytes))}
	}
	if err := plainJSON(b); err != nil {
		return nil, Faults{fault("", "form_document.json", "why", clip(err.Error()))}
	}
	var d Doc
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, Faults{fault("", "form_document.field", "why", clip(err.Error()))}
	}
	return build(d)
}

// build makes a form of a document.
func build(d Doc) (*Form, error) {
	f := &Form{doc: d}
	var faults Faults
	f.head(&faults)
	var schema any
	f.root, schema = readSchema(d.Schema, &faults)
	if f.root != nil {
		f.bind(&faults)
		f.covered(&faults)
	}
	if len(faults) == 0 {
		f.compileSchemas(schema, &faults)
		f.compileExprs(&faults)
	}
	if len(faults) > 0 {
		return nil, faults[:min(len(faults), maxFaults)]
	}
	return f, nil
}

// plainJSON refuses what two readers could read differently, names given twice,
// and what goes too deep for any reader.
func plainJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := plainValue(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func plainValue(dec *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("deeper than %d levels", maxDepth)
	}
	t, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for dec.More() {
		if open == '{' {
			name, err := dec.Token()
			if err != nil {
				return err
			}
			// The decoder matches names without regard to case.
			key := strings.ToLower(fmt.Sprint(name))
			if seen[key] {
				return fmt.Errorf("the name %q stands twice", clip(fmt.Sprint(name)))
			}
			seen[key] = true
		}
		if err := plainValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// head checks what the document says of itself.
func (f *Form) head(faults *Faults) {
	d := &f.doc
	add := func(path, code string, args ...string) { *faults = append(*faults, fault(path, code, args...)) }
	for _, x := range []struct{ path, id string }{{"id", d.ID}, {"procedure", d.Procedure}} {
		if !isID(x.id) {
			add(x.path, "form_document.id")
		}
	}
	if d.Version == "" || len(d.Version) > 40 || strings.ContainsFunc(d.Version, func(r rune) bool { return r <= ' ' || r > '~' }) {
		add("version", "form_document.version")
	}
	if len(d.Languages) == 0 || len(d.Languages) > 10 {
		add("languages", "form_document.languages")
	}
	for _, l := range d.Review {
		if !slices.Contains(d.Languages, l) {
			add("review", "form_document.languages")
		}
	}
	f.words(faults, "title", d.Title, true)
	f.words(faults, "note", d.Note, false)
	f.words(faults, "declaration", d.Declaration, false)
	if len(d.Pages) == 0 || len(d.Pages) > maxPages {
		add("pages", "form_document.pages", "max", fmt.Sprint(maxPages))
	}
}

// words checks a text: worded in the form's languages and no others, within
// bounds, without characters that turn lines around.
func (f *Form) words(faults *Faults, path string, t gov.Text, needed bool) {
	if len(t) == 0 && !needed {
		return
	}
	for _, l := range f.doc.Languages {
		if strings.TrimSpace(t[l]) == "" {
			*faults = append(*faults, fault(path, "form_document.text.missing", "lang", string(l)))
		}
	}
	for l, s := range t {
		if !slices.Contains(f.doc.Languages, l) {
			*faults = append(*faults, fault(path, "form_document.text.language", "lang", clip(string(l))))
		}
		if len([]rune(s)) > maxWords {
			*faults = append(*faults, fault(path, "form_document.text.long", "max", fmt.Sprint(maxWords)))
		}
		if Clean(s, true) != strings.TrimSpace(s) {
			*faults = append(*faults, fault(path, "form_document.text.characters", "lang", string(l)))
		}
	}
}

// isName reports whether s may name an answer: what CEL reads as a name, in
// lower case, so that a form field, a schema property and an expression agree.
func isName(s string) bool {
	if s == "" || len(s) > 60 || s[0] < 'a' || s[0] > 'z' || reserved[s] {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	})
}

// reserved words mean something else to CEL.
var reserved = map[string]bool{"true": true, "false": true, "null": true, "in": true, "as": true, "break": true, "const": true,
	"continue": true, "else": true, "for": true, "function": true, "if": true, "import": true, "let": true, "loop": true,
	"package": true, "namespace": true, "return": true, "var": true, "void": true, "while": true}

// isID reports whether s may stand in an address: "building-permit".
func isID(s string) bool {
	if s == "" || len(s) > 80 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}
