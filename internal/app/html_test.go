package app_test

import (
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checked is what one walk over a page collects.
type checked struct {
	t        *testing.T
	open     []string          // elements not yet closed
	ids      map[string]bool   // every id
	refs     map[string]string // ids that attributes name, by the attribute
	inputs   []map[string]string
	labelled map[string]bool // ids named by a label's for
	inLabel  int
	headings []int
	text     strings.Builder
	links    []string
	cell     int      // pieces in the open cell that carries its own name
	asked    []string // addresses of forms that read
	forms    []string // addresses that forms are posted to, "" for the page's own
}

// checkHTML holds what every page owes to browsers and screen readers: elements
// close in order, ids are unique and those that are named exist, every control
// has a label and every image a text, one h1 and no skipped heading level, the
// page's language and direction, nothing left over from a template.
func checkHTML(t *testing.T, page, lang, dir string) *checked {
	c := &checked{t: t, ids: map[string]bool{}, refs: map[string]string{}, labelled: map[string]bool{}}
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Errorf("the page cannot be read: %v", z.Err())
			}
			c.finish()
			return c
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			attrs := c.attributes(tok)
			if tok.Data == "html" && (attrs["lang"] != lang || attrs["dir"] != dir) {
				t.Errorf("html says lang %q dir %q, want %q %q", attrs["lang"], attrs["dir"], lang, dir)
			}
			c.start(tok.Data, attrs, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			c.end(z.Token().Data)
		case html.TextToken:
			if len(c.open) > 0 && c.open[len(c.open)-1] == "td" && strings.TrimSpace(string(z.Raw())) != "" {
				c.cell++
			}
			// What is code, or typed by an officer, may have places of its own.
			if len(c.open) > 0 && !slices.Contains([]string{"script", "code", "textarea"}, c.open[len(c.open)-1]) {
				c.text.Write(z.Text())
			}
		}
	}
}

var (
	void     = strings.Fields("area base br col embed hr img input link meta source track wbr")
	blocks   = strings.Fields("address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 header hr main nav ol p pre section table ul")
	controls = strings.Fields("input select textarea")
	leftover = regexp.MustCompile(`<no value>|%!|ZgotmplZ|\{[a-z]+\}|\[\]|map\[`)
)

func (c *checked) attributes(tok html.Token) map[string]string {
	attrs := map[string]string{}
	for _, a := range tok.Attr {
		if _, twice := attrs[a.Key]; twice {
			c.t.Errorf("<%s> has %s twice", tok.Data, a.Key)
		}
		attrs[a.Key] = a.Val
		switch a.Key {
		case "id":
			if c.ids[a.Val] || a.Val == "" || strings.ContainsAny(a.Val, " \t\n") {
				c.t.Errorf("<%s> has the id %q, which is empty, spaced or used already", tok.Data, a.Val)
			}
			c.ids[a.Val] = true
		case "for", "aria-labelledby", "aria-describedby", "aria-controls", "list":
			for id := range strings.FieldsSeq(a.Val) {
				c.refs[id] = tok.Data + " " + a.Key
			}
		case "href", "action", "formaction":
			// A query that was escaped as if it were one value has no name left.
			if _, query, ok := strings.Cut(a.Val, "?"); ok && query != "" && !strings.Contains(query, "=") {
				c.t.Errorf("<%s %s=%q>: its query names nothing", tok.Data, a.Key, a.Val)
			}
			if a.Key != "href" {
				continue
			}
			if id, ok := strings.CutPrefix(a.Val, "#"); ok {
				c.refs[id] = "link"
			} else if strings.HasPrefix(a.Val, "/") {
				if strings.ContainsAny(a.Val, " \t\n") {
					c.t.Errorf("the address %q has a space", a.Val)
					continue
				}
				path, _, _ := strings.Cut(a.Val, "#")
				c.links = append(c.links, path)
			}
		case "aria-label", "alt", "title", "content", "placeholder":
			if m := leftover.FindString(a.Val); m != "" {
				c.t.Errorf("<%s %s=%q>: left over from a template: %q", tok.Data, a.Key, a.Val, m)
			}
		}
	}
	return attrs
}

func (c *checked) start(name string, attrs map[string]string, closed bool) {
	if len(c.open) > 0 && c.open[len(c.open)-1] == "td" {
		c.cell++
	}
	if name == "td" {
		if c.cell = 0; attrs["data-l"] == "" {
			c.cell = -1000 // on a phone it is no grid of a name and a value
		}
	}
	if slices.Contains(blocks, name) && slices.Contains(c.open, "p") {
		c.t.Errorf("<%s> inside <p>: the browser would close the paragraph before it", name)
	}
	if name == "a" && slices.Contains(c.open, "a") {
		c.t.Error("<a> inside <a>")
	}
	switch name {
	case "form":
		if strings.EqualFold(attrs["method"], "post") {
			at, _, _ := strings.Cut(attrs["action"], "#")
			c.forms = append(c.forms, at)
		} else if strings.HasPrefix(attrs["action"], "/") {
			c.asked = append(c.asked, attrs["action"])
		}
	case "button":
		if at := attrs["formaction"]; at != "" {
			at, _, _ = strings.Cut(at, "#")
			c.forms = append(c.forms, at)
		}
	case "img":
		if _, ok := attrs["alt"]; !ok {
			c.t.Errorf("<img src=%q> has no alt", attrs["src"])
		}
	case "label":
		c.labelled[attrs["for"]] = true
		c.inLabel++
	case "h1", "h2", "h3", "h4", "h5", "h6":
		c.headings = append(c.headings, int(name[1]-'0'))
	}
	if slices.Contains(controls, name) && c.inLabel == 0 {
		c.inputs = append(c.inputs, attrs)
	}
	if !closed && !slices.Contains(void, name) {
		c.open = append(c.open, name)
	}
}

func (c *checked) end(name string) {
	if name == "label" {
		c.inLabel--
	}
	if name == "td" && c.cell > 1 {
		c.t.Errorf("a cell with data-l has %d pieces: a phone puts them beside its name one by one", c.cell)
	}
	if len(c.open) == 0 || c.open[len(c.open)-1] != name {
		c.t.Errorf("</%s> closes nothing; open: %v", name, c.open)
		return
	}
	c.open = c.open[:len(c.open)-1]
}

func (c *checked) finish() {
	if len(c.open) > 0 {
		c.t.Errorf("left open: %v", c.open)
	}
	for id, by := range c.refs {
		if !c.ids[id] {
			c.t.Errorf("%s names the id %q, which does not exist", by, id)
		}
	}
	for _, in := range c.inputs {
		hidden := in["type"] == "hidden" || in["type"] == "submit"
		if !hidden && !c.labelled[in["id"]] && in["aria-label"] == "" && in["aria-labelledby"] == "" {
			c.t.Errorf("the control %q has no label", in["name"])
		}
	}
	ones := 0
	for i, h := range c.headings {
		if h == 1 {
			ones++
		}
		if i > 0 && h > c.headings[i-1]+1 {
			c.t.Errorf("heading %d follows heading %d", h, c.headings[i-1])
		}
	}
	if ones != 1 {
		c.t.Errorf("%d h1, want one", ones)
	}
	if m := leftover.FindString(c.text.String()); m != "" {
		c.t.Errorf("left over from a template: %q", m)
	}
}
