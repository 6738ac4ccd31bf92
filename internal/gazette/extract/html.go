package extract

import (
	"bytes"
	"errors"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// writer gathers text into lines.
type writer struct {
	lines []Line
	line  strings.Builder
	role  Role
	size  int
	most  int
}

func (w *writer) text(s string) {
	w.size += len(s)
	w.line.WriteString(s)
}

func (w *writer) full() bool { return w.size > w.most }

// end closes the line; what has no letters is left out.
func (w *writer) end() {
	s := tidyLine(w.line.String(), w.role == Row)
	w.line.Reset()
	if s == "" {
		return
	}
	role := w.role
	if role == "" {
		role = Body
	}
	w.lines = append(w.lines, Line{Text: s, Confidence: 1, Role: role})
	w.size += 64 // a line costs memory beyond its text
}

// tidyLine makes one space of many; in rows tabs part cells and stay.
func tidyLine(s string, row bool) string {
	if !row {
		return strings.Join(strings.Fields(s), " ")
	}
	cells := strings.Split(s, "\t")
	some := false
	for i, c := range cells {
		cells[i] = strings.Join(strings.Fields(c), " ")
		some = some || cells[i] != ""
	}
	if !some {
		return ""
	}
	return strings.TrimRight(strings.Join(cells, "\t"), "\t")
}

var metaCharset = regexp.MustCompile(`(?i)charset\s*=\s*["']?\s*([a-z0-9_-]+)`)

func htmlText(data []byte, o Options) (string, error) {
	if !isUTF16(data) && !isUTF8(data) {
		if m := metaCharset.FindSubmatch(data[:min(len(data), 2048)]); m != nil {
			if e, _ := charset.Lookup(string(m[1])); e != nil {
				if out, err := e.NewDecoder().Bytes(data); err == nil && len(out) <= 2*o.MaxText {
					return clean(string(out)), nil
				}
			}
		}
	}
	return decode(data, o)
}

// blocks end a line before and after them.
var blocks = map[atom.Atom]bool{}

// unread is what holds no text of the document.
var unread = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Nav: true, atom.Head: false, atom.Title: true, atom.Svg: true, atom.Select: true, atom.Textarea: true, atom.Iframe: true}

func init() {
	for _, a := range []atom.Atom{atom.P, atom.Div, atom.Br, atom.Li, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Tr, atom.Table, atom.Thead, atom.Tbody, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Blockquote, atom.Pre, atom.Hr, atom.Dt, atom.Dd, atom.Dl, atom.Main, atom.Aside, atom.Address, atom.Figure, atom.Caption, atom.Form, atom.Body, atom.Html} {
		blocks[a] = true
	}
}

// maxToken bounds one tag, or one text without tags: the attributes of a tag are
// listed in memory before it is looked at.
const maxToken = 16 << 20

// readHTML gives the lines of a page of hypertext. Tags need not be balanced;
// nothing is fetched.
func readHTML(data []byte, o Options) ([]Line, error) {
	if len(data) > o.MaxText {
		return nil, fail(TooLarge, "%d bytes of hypertext", len(data))
	}
	s, err := htmlText(data, o)
	if err != nil {
		return nil, err
	}
	z := html.NewTokenizer(bytes.NewReader([]byte(s)))
	z.SetMaxBuf(maxToken)
	w := &writer{most: 2 * o.MaxText}
	skip, inRow := atom.Atom(0), false
	for {
		t := z.Next()
		if t == html.ErrorToken {
			if errors.Is(z.Err(), html.ErrBufferExceeded) {
				return nil, fail(TooLarge, "a part of the hypertext is longer than %d bytes", maxToken)
			}
			w.end()
			return w.lines, nil // the end: reading from memory can't fail otherwise
		}
		if w.full() {
			return nil, fail(TooLarge, "more than %d bytes of text", o.MaxText)
		}
		switch t {
		case html.TextToken:
			if skip == 0 {
				w.text(strings.ReplaceAll(string(z.Text()), "\t", " "))
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			start := t != html.EndTagToken
			switch {
			case skip != 0:
				if !start && a == skip {
					skip = 0
				}
			case start && t == html.StartTagToken && unread[a]:
				skip = a
			default:
				inRow = w.tag(a, start, inRow)
			}
		}
	}
}

// tag moves on to the next line where the element asks for it.
func (w *writer) tag(a atom.Atom, start, inRow bool) bool {
	switch {
	case a == atom.Tr:
		w.end()
		if w.role = Row; !start {
			w.role = ""
		}
		return start
	case (a == atom.Td || a == atom.Th) && inRow:
		if !start {
			w.text("\t")
		}
	case a == atom.Table && !start:
		w.end()
		w.role = ""
		return false
	case inRow && blocks[a]:
		w.text(" ")
	case a == atom.H1 || a == atom.H2 || a == atom.H3 || a == atom.H4 || a == atom.H5 || a == atom.H6:
		w.end()
		if w.role = Heading; !start {
			w.role = ""
		}
	case blocks[a]:
		w.end()
	}
	return inRow
}
