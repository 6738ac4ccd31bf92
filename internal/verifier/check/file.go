package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// File checks what a file holds: a picture or a PDF file with a code, a document as text,
// or an ISO document as bytes. Of several codes the first that is of a document counts.
// Where no code is found the result is refused as unreadable, with the error that says
// why.
func (k *Kit) File(ctx context.Context, b []byte, render Render) (Result, error) {
	r := Result{Checked: k.o.Now()}
	switch {
	case len(b) > MaxFile:
		r.add(Unreadable, nil)
		return r.settle(), fmt.Errorf("%w: %d bytes, at most %d", ErrPicture, len(b), MaxFile)
	case IsPicture(b):
		texts, err := Codes(ctx, b, render)
		if err != nil {
			r.add(Unreadable, err)
			return r.settle(), err
		}
		return k.first(ctx, texts), nil
	case utf8.Valid(b) && !bytes.ContainsRune(b, 0):
		return k.Document(ctx, string(b)), nil
	}
	return k.mdoc(ctx, r, b), nil
}

func (k *Kit) first(ctx context.Context, texts []string) Result {
	i := slices.IndexFunc(texts, func(s string) bool {
		_, ok := Code(s)
		return ok || strings.Contains(s, "~")
	})
	return k.Document(ctx, texts[max(i, 0)])
}

// Write tells a result on a terminal, in English. The words of what it says come in the
// first of the languages that the document has.
func (r *Result) Write(w io.Writer, languages ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.ToUpper(string(r.State)))
	for _, x := range r.Reasons {
		fmt.Fprintf(&b, "  reason: %s\n", x)
	}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, clean(value))
		}
	}
	line("document", choose(r.Names, r.Type, languages))
	line("number", r.Number)
	line("issuer", choose(r.Issuer.Names, r.Issuer.ID, languages))
	if r.Issuer.Demonstration {
		line("note", "the issuer issues invented documents, for demonstration")
	}
	line("issued", day(r.Issued))
	line("valid from", day(r.From))
	line("valid until", day(r.Until))
	for _, c := range r.Claims {
		text, picture := c.Text()
		switch v := c.Value.(type) {
		case bool:
			text = map[bool]string{true: "yes", false: "no"}[v]
		}
		if picture {
			text = "(picture)"
		}
		line("  "+choose(c.Labels, c.Name(), languages), text)
	}
	if r.State == Accepted && !r.Holder {
		line("note", "nothing proves who brings it: compare it with the person or the page")
	}
	if !r.TrustMade.IsZero() {
		line("list of issuers", ago(r.TrustAge()))
	}
	if !r.StatusMade.IsZero() {
		line("status list", ago(r.StatusAge()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// clean keeps what a document says from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

func choose(m map[string]string, other string, languages []string) string {
	for _, l := range append(slices.Clone(languages), "en", "fr", "ar") {
		if s := m[l]; s != "" {
			return s
		}
	}
	return other
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04 MST")
}

func ago(d time.Duration) string {
	if d < time.Minute {
		return "made just now"
	}
	return "made " + d.Round(time.Minute).String() + " ago"
}

// errBody is an answer that is too long.
var errBody = errors.New("the answer is too long")
