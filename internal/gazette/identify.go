package gazette

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/protocol/akn"
)

// address gives a work its address. A number and a year make one that anybody
// can write from a citation; a text without them, or whose digits are suspect,
// gets one from the file it was read from, which nobody will guess but which
// names no other text by mistake.
func (g *Gazette) address(w *model.Work, sourceKey string) string {
	iri := akn.IRI{Country: strings.ToLower(g.country.Code), Type: "act", Subtype: g.pathOf(w.Kind), Date: akn.Undated}
	if y := yearOfWork(w); y != 0 {
		iri.Date = strconv.Itoa(y)
	}
	switch {
	case w.Number != "" && !w.Suspect:
		iri.Number = string(w.Number)
	case len(w.Signed) == len("2006-01-02") && !w.Suspect:
		// Older acts have no number: their day and their file tell them apart.
		iri.Date = string(w.Signed)
		iri.Number = "x-" + sourceKey
	default:
		iri.Number = "x-" + sourceKey
	}
	return iri.Work()
}

// pathOf is the name of a kind in addresses; several kinds may share one.
func (g *Gazette) pathOf(kind string) string {
	if k, ok := g.grammar.Kind(kind); ok && k.Path != "" {
		return k.Path
	}
	return kind
}

// yearOfWork is the year of the signature, or else the one that the number
// carries: "55-19" is of 2019 unless its date says 2020.
func yearOfWork(w *model.Work) int {
	if w.Suspect {
		return 0
	}
	if y := yearOf(w.Signed, ""); y != 0 {
		return y
	}
	parts := w.Number.Parts()
	for _, i := range []int{1, len(parts) - 1} {
		if i < 1 || i >= len(parts) {
			continue
		}
		if y, err := strconv.Atoi(parts[i]); err == nil {
			switch {
			case len(parts[i]) == 4 && y >= 1900 && y < 2100:
				return y
			case len(parts[i]) == 2 && y >= firstYear%100:
				return 1900 + y
			case len(parts[i]) == 2:
				return 2000 + y
			}
		}
	}
	return 0
}

// firstYear splits the years of two digits: the gazette's numbering of acts by
// year begins after it, and no number of this century has reached it.
const firstYear = 1950

// shortOf is the name of a work in a short permanent link. It follows from the
// address, so it never changes and needs no table of its own.
func shortOf(work string) string {
	sum := sha256.Sum256([]byte(work))
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:6]))[:9]
}

// sourceKey names a file in an address.
func sourceKey(sha string) string { return sha[:min(10, len(sha))] }

// issueAddress is the address of an issue of the gazette.
func issueAddress(country string, ref model.IssueRef) string {
	number := strconv.Itoa(ref.Number)
	if ref.Bis {
		number += "-bis"
	}
	date := akn.Undated
	if len(ref.Date) >= 4 {
		date = string(ref.Date[:4])
	}
	return akn.IRI{Country: strings.ToLower(country), Type: "officialGazette", Subtype: ref.Edition, Date: date, Number: number}.Work()
}

// textID names a text: one language of a work from one source.
func textID(source string, n int) string { return source + "-" + strconv.Itoa(n) }

func itoa(n int) string { return strconv.Itoa(n) }
