package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/i18n"
)

//go:embed templates/*.html
var layoutFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

//go:embed icons.json
var iconFile []byte

// Messages returns the words of the layout and of the errors, for the catalog.
func Messages() fs.FS { return Folder(messageFiles, "messages") }

// Folder returns a folder of embedded files. It panics when there is none, which
// no build with the folder embedded can meet.
func Folder(files embed.FS, name string) fs.FS {
	f, err := fs.Sub(files, name)
	if err != nil {
		panic(err)
	}
	return f
}

// Templates are the pages of all slices, compiled once for each language. Words,
// icons and addresses of static files that a template names as constants are put
// in their place before it is compiled, so that they cost nothing on each page:
//
//	{{t "key"}}  {{icon "clock"}}  {{asset "diwan.css"}}  {{lang}}  {{dir}}
type Templates struct {
	pages map[gov.Lang]map[string]*compiledPage
	icons map[string]string
}

// compiledPage is a page twice: as html/template runs it, and as a program that
// writes the same faster, nil where a part is beyond the compiler.
type compiledPage struct {
	*template.Template
	program *program
}

// TemplateSet is one slice's templates: files whose name begins with "_" are
// parts that its pages share, every other file is a page with a "content" block.
type TemplateSet struct {
	Slice string
	Files fs.FS
}

func newTemplates(s *Site, sets []TemplateSet) (*Templates, error) {
	t := &Templates{pages: map[gov.Lang]map[string]*compiledPage{}}
	if err := json.Unmarshal(iconFile, &t.icons); err != nil {
		return nil, fmt.Errorf("icons: %w", err)
	}
	layout, err := fs.Sub(layoutFiles, "templates")
	if err != nil {
		return nil, err
	}
	for _, l := range s.Country.Languages {
		t.pages[l.Code] = map[string]*compiledPage{}
		c := &compiler{site: s, lang: l, icons: t.icons, printer: s.Words.Printer(string(l.Code)), urls: newURLEscapers()}
		base := template.New("base").Funcs(c.funcs())
		if err := c.parse(base, layout, true); err != nil {
			return nil, err
		}
		if err := c.pages(t.pages[l.Code], "web", base, layout); err != nil {
			return nil, err
		}
		for _, set := range sets {
			shared, err := base.Clone()
			if err != nil {
				return nil, err
			}
			if err := c.parse(shared, set.Files, true); err != nil {
				return nil, err
			}
			if err := c.pages(t.pages[l.Code], set.Slice, shared, set.Files); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// compiler prepares the templates of one language.
type compiler struct {
	site    *Site
	lang    gov.Language
	icons   map[string]string
	printer *i18n.Printer
	urls    *urlEscapers
	err     error
}

// parse adds the shared parts of a folder to t.
func (c *compiler) parse(t *template.Template, files fs.FS, parts bool) error {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasPrefix(n, "_") != parts {
			continue
		}
		if err := c.parseFile(t, files, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) pages(into map[string]*compiledPage, slice string, base *template.Template, files fs.FS) error {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.HasPrefix(n, "_") {
			continue
		}
		t, err := base.Clone()
		if err != nil {
			return err
		}
		if err := c.parseFile(t, files, n); err != nil {
			return err
		}
		into[slice+"/"+strings.TrimSuffix(n, path.Ext(n))] = &compiledPage{t, newProgram(t, "layout", c.funcs(), c.writers(), c.urls)}
	}
	return nil
}

func (c *compiler) parseFile(t *template.Template, files fs.FS, name string) error {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	text := c.substitute(string(b))
	if c.err != nil {
		return fmt.Errorf("template %s: %w", name, c.err)
	}
	if _, err := t.Parse(squeeze(text)); err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	return nil
}

var constant = regexp.MustCompile(`\{\{\s*(t|icon|flip|asset)\s+"([^"]+)"\s*\}\}|\{\{\s*(lang|dir)\s*\}\}`)

// substitute puts constants in place. The words are escaped for HTML, which is
// right in text and in quoted attributes, the only places templates use them.
func (c *compiler) substitute(text string) string {
	return constant.ReplaceAllStringFunc(text, func(m string) string {
		part := constant.FindStringSubmatch(m)
		switch part[1] + part[3] {
		case "t":
			if !c.site.Words.Has(string(c.lang.Code), part[2]) {
				c.err = fmt.Errorf("no message %q in %q", part[2], c.lang.Code)
			}
			return noActions(template.HTMLEscapeString(c.printer.T(part[2])))
		case "icon", "flip":
			s, err := c.svg(part[2], part[1] == "flip")
			if err != nil {
				c.err = err
			}
			return s
		case "asset":
			return c.site.Assets.URL(part[2])
		case "dir":
			return c.lang.Dir
		}
		return string(c.lang.Code)
	})
}

// noActions keeps braces in a message from being read as a template.
func noActions(s string) string { return strings.ReplaceAll(s, "{{", "{&#8203;{") }

func (c *compiler) svg(name string, flip bool) (string, error) {
	shape, ok := c.icons[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	class := "i"
	if flip {
		class = "i flip" // arrows turn with the direction of reading
	}
	return `<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true">` + shape + `</svg>`, nil
}

var indent = regexp.MustCompile(`\n[ \t]+`)

// squeeze drops the indentation that only the template's author needs.
func squeeze(s string) string { return indent.ReplaceAllString(s, "\n") }

// funcs are what templates may call. All of them speak the template's language.
func (c *compiler) funcs() template.FuncMap {
	f := c.site.Formats[c.lang.Code]
	order := c.site.Country.Order()
	return template.FuncMap{
		"t":     func(key string, pairs ...any) string { return c.printer.T(key, words(pairs)...) },
		"n":     func(key string, n int, pairs ...any) string { return c.printer.N(key, n, f.Number(n), words(pairs)...) },
		"num":   func(n any) (string, error) { return number(f, n) },
		"money": func(c *gov.Centimes) string { return f.Money(*c) },
		"date":  f.Date,
		"day":   f.Day,
		"told": func(s string) string {
			switch s {
			case "true":
				return c.printer.T("web.yes")
			case "false":
				return c.printer.T("web.no")
			}
			return f.Told(s)
		},
		"plain": func(t gov.Text) string { s, _ := t.In(c.lang.Code, order); return s },
		"text":  func(t gov.Text) template.HTML { return c.text(t, order) },
		"iconOf": func(name string) (template.HTML, error) {
			s, err := c.svg(name, false)
			return template.HTML(s), err
		},
		"ltr": func(s string) template.HTML {
			return template.HTML(`<bdi class="ltr">` + template.HTMLEscapeString(s) + `</bdi>`)
		},
	}
}

// writers are functions whose result compiled pages write without building it.
func (c *compiler) writers() map[string]writer {
	order := c.site.Country.Order()
	return map[string]writer{"text": func(buf *bytes.Buffer, v reflect.Value) error {
		if !v.IsValid() || !v.CanInterface() {
			return errBeyond
		}
		t, ok := v.Interface().(gov.Text)
		if !ok {
			return errBeyond
		}
		c.writeText(buf, t, order)
		return nil
	}}
}

// number takes whichever kind of whole number a page holds.
func number(f Format, n any) (string, error) {
	switch n := n.(type) {
	case int:
		return f.Number(n), nil
	case int64:
		return f.Number(int(n)), nil
	}
	return "", fmt.Errorf("num: %T is not a whole number", n)
}

func words(pairs []any) []string {
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = fmt.Sprint(p)
	}
	return out
}

// text writes a text in the page's language, or in another with its language
// and direction, so that it is read aloud and aligned rightly.
func (c *compiler) text(t gov.Text, order []gov.Lang) template.HTML {
	var buf bytes.Buffer
	c.writeText(&buf, t, order)
	return template.HTML(buf.String())
}

func (c *compiler) writeText(buf *bytes.Buffer, t gov.Text, order []gov.Lang) {
	s, l := t.In(c.lang.Code, order)
	if l == c.lang.Code || l == "" {
		escapeText(buf, s)
		return
	}
	other, _ := c.site.Country.Language(l)
	buf.WriteString(`<span lang="` + string(l) + `" dir="` + other.Dir + `">`)
	escapeText(buf, s)
	buf.WriteString(`</span>`)
}

// execute writes a page into buf. What the compiled program meets and does not
// know, html/template writes from the start.
func (t *Templates) execute(buf *bytes.Buffer, l gov.Lang, name string, p *view) error {
	page, ok := t.pages[l][name]
	if !ok {
		return fmt.Errorf("no page %q in %q", name, l)
	}
	if page.program != nil {
		mark := buf.Len()
		err := page.program.run(buf, "layout", p)
		if !errors.Is(err, errBeyond) {
			return err
		}
		buf.Truncate(mark)
	}
	return page.ExecuteTemplate(buf, "layout", p)
}

// verify compares what the program wrote with what html/template writes.
func (t *Templates) verify(wrote []byte, l gov.Lang, name string, p *view) error {
	var buf bytes.Buffer
	page := t.pages[l][name]
	if err := page.ExecuteTemplate(&buf, "layout", p); err != nil {
		return err
	}
	if !bytes.Equal(wrote, buf.Bytes()) {
		return fmt.Errorf("page %s in %s: the compiled program and html/template differ", name, l)
	}
	return nil
}

// Slow returns the pages that are not compiled, for tests.
func (t *Templates) Slow() []string {
	var out []string
	for l, pages := range t.pages {
		for n, p := range pages {
			if p.program == nil {
				out = append(out, string(l)+" "+n)
			}
		}
	}
	return out
}

// Names returns the names of all pages, for tests that open each of them.
func (t *Templates) Names() []string {
	for _, pages := range t.pages {
		names := make([]string, 0, len(pages))
		for n := range pages {
			names = append(names, n)
		}
		return names
	}
	return nil
}
