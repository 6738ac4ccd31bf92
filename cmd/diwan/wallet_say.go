package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"diwan/internal/app"
)

func sayAsker(out io.Writer, name, host string, vouched bool) {
	words := "nobody whom this wallet believes vouches for it"
	if vouched {
		words = "somebody whom this wallet believes vouches for it"
	}
	fmt.Fprintf(out, "%q asks; the answer goes to %s; %s.\n", clean(name), clean(host), words)
}

func sayPlan(out io.Writer, p *app.WalletPlan, lang string) {
	for _, s := range p.Shows {
		fmt.Fprintf(out, "  document %s (%s), %s\n", s.Document.ID, clean(s.Document.Type), s.Standing)
		for _, c := range s.Claims {
			fmt.Fprintf(out, "    %s\n", clean(app.LabelOf(s.Document, c, lang)))
		}
		if len(s.Claims) == 0 {
			fmt.Fprintln(out, "    only what can not be hidden")
		}
		if s.Again {
			fmt.Fprintln(out, "    each copy was shown before: verifiers could find out together that it is the same document")
		}
	}
}

func sayDocuments(out io.Writer, list []*app.WalletDocument) {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, d := range list {
		copies := fmt.Sprintf("%d of %d copies unused", d.Unused, d.Copies)
		switch {
		case d.Standing == "waiting":
			copies = "waits for the issuer; ask after " + d.AskAfter.Format(time.RFC3339)
		case !d.Listed:
			copies += ", issuer not vouched for"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", d.ID, clean(d.Name), d.Format, d.Standing, copies)
	}
	t.Flush()
}

func sayDocument(out io.Writer, d *app.WalletDocument) {
	sayDocuments(out, []*app.WalletDocument{d})
	fmt.Fprintf(out, "issued by %s, %s\n", clean(d.IssuedBy), clean(d.Issuer))
	if d.Why != "" {
		fmt.Fprintf(out, "how it stands is not known: %s\n", clean(d.Why))
	}
	if !d.Until.IsZero() {
		fmt.Fprintf(out, "valid until %s\n", d.Until.Format(time.DateOnly))
	}
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, c := range d.Claims {
		label := clean(c.Label)
		for _, line := range c.Says {
			fmt.Fprintf(t, "  %s\t%s\n", label, clean(line))
			label = ""
		}
	}
	t.Flush()
	for _, s := range d.Shown {
		fmt.Fprintf(out, "shown %s to %s: %s\n", s.At.Format(time.RFC3339), clean(s.Host), strings.Join(s.Claims, " "))
	}
}

// maxSaid bounds a text of a stranger in what is printed: a picture would fill the screen.
const maxSaid = 200

// clean takes out of a stranger's text what moves a terminal's cursor or turns its
// lines around.
func clean(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxSaid || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
