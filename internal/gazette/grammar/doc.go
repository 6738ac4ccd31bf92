// Package grammar reads how a country's gazette is written: the names of its
// kinds of act and of their parts, its formulas, months, numbers and ordinals,
// in each language. All of it is data of the country pack; this package turns
// it into matchers over words and knows no word itself.
//
// Words are compared folded (see lexis.NormalizeArabic and lexis.FoldFrench),
// so that spellings, vowel signs, capitals and accents make no difference.
// Every function accepts any text and runs in linear time.
package grammar
