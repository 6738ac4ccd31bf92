package document

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/pdf"
)

// Bounds of a template of a letter, in bytes and fields.
const (
	MaxTemplate = 20 << 10
	maxFields   = 100
)

// ErrTemplate says what is wrong with a template; the text after it names the
// place.
var ErrTemplate = errors.New("the template of the letter")

// Template is a letter with places for what changes: {{name}}. Nothing else in it
// has a meaning, but that an empty line begins a paragraph.
type Template struct {
	text   []string // what stands between the fields
	fields []string
}

// reference is a value whose parts stand in one order in all languages.
var reference = regexp.MustCompile(`^[0-9][0-9A-Za-z]*([-/.][0-9A-Za-z]+)+$`)

// keepMarks cleans a text and leaves in it the marks that code has put there.
func keepMarks(s string) string {
	parts := strings.Split(s, leftToRight)
	for i := range parts {
		parts[i] = clean(parts[i])
	}
	return strings.Join(parts, leftToRight)
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,63}$`)

// ParseTemplate reads a template. A field that is not among the known ones is an
// error when the template is saved, never a hole in somebody's letter.
func ParseTemplate(src string, known []string) (*Template, error) {
	if len(src) > MaxTemplate {
		return nil, fmt.Errorf("%w is longer than %d bytes", ErrTemplate, MaxTemplate)
	}
	t := &Template{}
	for rest := src; ; {
		before, after, found := strings.Cut(rest, "{{")
		if strings.Contains(before, "}}") {
			return nil, fmt.Errorf("%w: }} without {{", ErrTemplate)
		}
		t.text = append(t.text, before)
		if !found {
			return t, nil
		}
		name, next, closed := strings.Cut(after, "}}")
		name = strings.TrimSpace(name)
		switch {
		case !closed:
			return nil, fmt.Errorf("%w: {{ without }}", ErrTemplate)
		case !fieldName.MatchString(name):
			return nil, fmt.Errorf("%w: %.40q is no name of a field", ErrTemplate, name)
		case !slices.Contains(known, name):
			return nil, fmt.Errorf("%w: the field %s is not known", ErrTemplate, name)
		case len(t.fields) == maxFields:
			return nil, fmt.Errorf("%w has more than %d fields", ErrTemplate, maxFields)
		}
		t.fields = append(t.fields, name)
		rest = next
	}
}

// Fields returns the fields that the template uses, each once, in order.
func (t *Template) Fields() []string {
	var out []string
	for _, f := range t.fields {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// Fill puts values into the places. A field without a value is an error. Values
// are text and nothing else: they can neither begin a paragraph nor be fields.
func (t *Template) Fill(values map[string]string) (string, error) {
	var b strings.Builder
	for i, s := range t.text {
		b.WriteString(s)
		if i == len(t.fields) {
			break
		}
		v, ok := values[t.fields[i]]
		if v = strings.TrimSpace(strings.ReplaceAll(clean(v), "\n", " ")); !ok || v == "" {
			return "", fmt.Errorf("%w: the field %s has no value", ErrTemplate, t.fields[i])
		}
		if reference.MatchString(v) {
			v = code(v)
		}
		b.WriteString(v)
	}
	return b.String(), nil
}

const letterTitle = "document.letter_title"

// LetterFacts are what a letter says beside its text.
type LetterFacts struct {
	Facts
	Lang    gov.Lang // of the letter
	On      gov.Date
	Subject string
	Text    string // from Template.Fill; an empty line begins a paragraph
	Signer  gov.Text
}

// Letter makes a letter.
func (m *Maker) Letter(f LetterFacts) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if f.Lang == "" || f.On.IsZero() || strings.TrimSpace(f.Text) == "" || strings.TrimSpace(f.Subject) == "" {
		return nil, errUnsaid
	}
	f.Langs = []gov.Lang{f.Lang}
	return m.compose(&f.Facts, letterTitle, func(p *page) {
		l := string(p.lang)
		p.paragraph(pdf.Style{Size: 10.5, Align: pdf.End, After: 6}, "document.done_on", "date", p.form.Date(f.On))
		p.paragraph(body, "document.to", "name", p.one(f.Applicant))
		p.paragraph(strong, "document.subject", "subject", ordered(strings.ReplaceAll(clean(f.Subject), "\n", " "), p.rightToLeft()))
		p.paragraph(body, "document.about_case", "number", code(f.Number), "procedure", p.one(f.Procedure))
		for _, s := range strings.Split(strings.ReplaceAll(f.Text, "\r\n", "\n"), "\n\n") {
			if s = strings.TrimSpace(keepMarks(s)); s != "" {
				p.Paragraph(l, ordered(s, p.rightToLeft()), pdf.Style{Size: 11, After: 8})
			}
		}
		p.value(pdf.Style{Size: 10.5, Weight: pdf.Bold, Align: pdf.End, Before: 10, After: 20}, f.Signer)
	})
}
