package akn

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// IRI is an address of the naming convention, taken apart. The zero value of a
// field means that the address does not say it.
type IRI struct {
	Country string // "ma", or a jurisdiction below a country: "ma-03"
	Type    string // act, officialGazette, bill, doc…
	Subtype string // the country's own kind of act
	Date    string // year, or day: "2020", "2020-03-06"
	Number  string // "55-19"

	Lang string // three letters; "" names the work
	// Version is the day from which the text reads so. Original says that the
	// address asked for the first version ("fra@").
	Version  string
	Original bool
	// View asks for the text as it stood on a day ("fra:2021-01-01").
	View string

	Component string // "main", "annex_1": what follows "!"
	Portion   string // eId: what follows "~"
	Format    string // "xml", "html", "pdf": what follows the last point
}

// ErrIRI is wrapped by every error of ParseIRI.
var ErrIRI = errors.New("not an address of the Akoma Ntoso naming convention")

const maxIRI = 500

// ParseIRI reads an address such as
// "/akn/ma/act/loi/2020/55-19/fra@2021-01-01/!main~art_5.xml". The work needs
// country, type and date; all else may be left out.
func ParseIRI(s string) (IRI, error) {
	var iri IRI
	if len(s) > maxIRI {
		return iri, fmt.Errorf("%w: longer than %d bytes", ErrIRI, maxIRI)
	}
	rest, ok := strings.CutPrefix(s, "/akn/")
	if !ok {
		return iri, fmt.Errorf("%w: it begins with /akn/", ErrIRI)
	}
	rest, iri.Format = cutFormat(rest)
	rest, portion, hasPortion := strings.Cut(rest, "~")
	if hasPortion && !validID(portion) {
		return iri, fmt.Errorf("%w: portion %q", ErrIRI, portion)
	}
	iri.Portion = portion
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	if n := len(parts); n > 0 && strings.HasPrefix(parts[n-1], "!") {
		iri.Component, parts = parts[n-1][1:], parts[:n-1]
		if iri.Component != "" && !validID(iri.Component) {
			return iri, fmt.Errorf("%w: component %q", ErrIRI, iri.Component)
		}
	}
	if n := len(parts); n > 3 && isExpression(parts[n-1]) {
		if err := iri.expression(parts[n-1]); err != nil {
			return iri, err
		}
		parts = parts[:n-1]
	}
	return iri, iri.work(parts)
}

// formats are the endings that name a manifestation.
var formats = map[string]bool{"xml": true, "akn": true, "html": true, "json": true, "jsonld": true, "txt": true, "pdf": true}

func cutFormat(s string) (string, string) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 || strings.ContainsAny(s[i:], "/~") || !formats[s[i+1:]] {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// isExpression reports a part that names a language, with or without a date.
func isExpression(s string) bool {
	return len(s) >= 3 && isLower(s[:3]) && (len(s) == 3 || s[3] == '@' || s[3] == ':')
}

func (iri *IRI) expression(s string) error {
	iri.Lang = s[:3]
	rest := s[3:]
	version, view, hasView := strings.Cut(rest, ":")
	if v, ok := strings.CutPrefix(version, "@"); ok {
		iri.Version, iri.Original = v, v == ""
	}
	iri.View = view
	if iri.Version != "" && !isDay(iri.Version) || hasView && !isDay(view) {
		return fmt.Errorf("%w: %q is not a day such as 2020-03-19", ErrIRI, rest)
	}
	return nil
}

func (iri *IRI) work(parts []string) error {
	if len(parts) < 3 || len(parts) > 5 {
		return fmt.Errorf("%w: a work is /akn/country/type/[kind/]date[/number]", ErrIRI)
	}
	for _, p := range parts {
		if !validPart(p) {
			return fmt.Errorf("%w: %q", ErrIRI, p)
		}
	}
	iri.Country, iri.Type = parts[0], parts[1]
	parts = parts[2:]
	if !isDate(parts[0]) {
		iri.Subtype, parts = parts[0], parts[1:]
	}
	if len(parts) == 0 || !isDate(parts[0]) {
		return fmt.Errorf("%w: no date", ErrIRI)
	}
	iri.Date, parts = parts[0], parts[1:]
	switch len(parts) {
	case 0:
	case 1:
		iri.Number = parts[0]
	default:
		return fmt.Errorf("%w: %q is left over", ErrIRI, strings.Join(parts[1:], "/"))
	}
	return nil
}

// Undated stands in place of a work's year when nobody knows it.
const Undated = "undated"

// isDate reports a year, a day, or the word for an unknown one.
func isDate(s string) bool {
	if s == Undated {
		return true
	}
	return len(s) == 4 && isDigits(s) || isDay(s)
}

func isDay(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func isLower(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// validPart reports what may stand between two slashes: letters, digits and the
// few marks of numbers, so that an address is safe in a file name and a header.
func validPart(s string) bool {
	if s == "" || len(s) > 120 || s[0] == '.' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isIDByte(s[i]) && s[i] != '.' {
			return false
		}
	}
	return true
}

// ValidID reports an eId that can stand in an address: letters and digits of
// ASCII, "-" and "_", at most 200.
func ValidID(s string) bool { return validID(s) }

// IsDay reports a day such as "2020-03-19".
func IsDay(s string) bool { return isDay(s) }

func validID(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isIDByte(s[i]) {
			return false
		}
	}
	return true
}

func isIDByte(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' || b == '_'
}

// Work returns the address of the work alone.
func (iri IRI) Work() string {
	parts := []string{"/akn", iri.Country, iri.Type}
	for _, p := range []string{iri.Subtype, iri.Date, iri.Number} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, "/")
}

// Expression returns the address of the expression, or of the work when no
// language is named.
func (iri IRI) Expression() string {
	if iri.Lang == "" {
		return iri.Work()
	}
	s := iri.Work() + "/" + iri.Lang
	switch {
	case iri.Version != "":
		s += "@" + iri.Version
	case iri.Original:
		s += "@"
	}
	if iri.View != "" {
		s += ":" + iri.View
	}
	return s
}

// String returns the whole address.
func (iri IRI) String() string {
	s := iri.Expression()
	if iri.Component != "" {
		s += "/!" + iri.Component
	}
	if iri.Portion != "" {
		if iri.Component == "" {
			s += "/"
		}
		s += "~" + iri.Portion
	}
	if iri.Format != "" {
		s += "." + iri.Format
	}
	return s
}
