package gov

import "strings"

// Lang is a BCP 47 language tag without a region: "ar", "fr", "zgh", "en".
// Which languages exist, and in which order, is for the country pack to say.
type Lang string

// Text is one thing said in several languages. A missing language is absent,
// never an empty string, so that a page can say which language it fell back to.
type Text map[Lang]string

// In returns the text in the wanted language, or else in the first language of
// order that has it, and the language it is written in. A page that shows a
// fallback marks it with that language, so that screen readers and browsers
// pronounce and align it rightly. Both results are empty when nothing is said.
func (t Text) In(want Lang, order []Lang) (string, Lang) {
	if s := t[want]; s != "" {
		return s, want
	}
	for _, l := range order {
		if s := t[l]; s != "" {
			return s, l
		}
	}
	// A name that belongs to no language, such as an identifier.
	return t[""], ""
}

// Empty reports whether nothing is said in any language.
func (t Text) Empty() bool {
	for _, s := range t {
		if strings.TrimSpace(s) != "" {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares nothing with t.
func (t Text) Clone() Text {
	if t == nil {
		return nil
	}
	c := make(Text, len(t))
	for l, s := range t {
		c[l] = s
	}
	return c
}

// Language describes one language of a country.
type Language struct {
	Code Lang   `json:"code"`
	Name string `json:"name"` // its own name for itself
	Dir  string `json:"dir"`  // "rtl" or "ltr"
	// Locale is the BCP 47 tag used for numbers and plural rules.
	Locale string `json:"locale"`
}
