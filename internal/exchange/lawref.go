package exchange

import (
	"context"
	"strings"

	"diwan/internal/gov"
)

// LawNamer names a text of the law, and tells whether it can be read here. A text that
// nobody knows has no name.
type LawNamer func(ctx context.Context, work gov.Address) (name gov.Text, held bool)

// lawRef is an article that something rests on, as people name it.
type lawRef struct {
	Address gov.Address
	Name    gov.Text // of its text; empty when nobody knows it, and its address is shown
	Article string   // its number; empty for the whole text
	Held    bool     // there is a page to read it
}

// lawRefs names the articles of a service or a contract. Their addresses come from the
// members: only those that lead somewhere become links.
func (e *Exchange) lawRefs(ctx context.Context, addresses []string) []lawRef {
	var out []lawRef
	for _, s := range addresses {
		r := lawRef{Address: gov.Address(s)}
		if e.LawNamed != nil {
			r.Name, r.Held = e.LawNamed(ctx, r.Address.Work())
		}
		if !r.Name.Empty() {
			r.Article = strings.ReplaceAll(strings.TrimPrefix(r.Address.Article(), "art_"), "_", " ")
		}
		out = append(out, r)
	}
	return out
}
