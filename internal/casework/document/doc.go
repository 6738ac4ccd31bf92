// Package document composes what an administration hands to a person on paper or
// as a file: the receipt, the decision, the certificate that silence has meant
// yes, letters, and calendar entries. It is pure: facts come in, a PDF/A comes
// out, and the same facts give the same bytes. Sealing is for another package.
//
// What it promises to the person who holds such a document:
//   - the two languages of the administration say the same, one after the other,
//     unless the caller asks for others;
//   - everything that the law makes a receipt say is on it, the list of what is
//     missing whole;
//   - a code and an address by which anybody can check it, as text and as a QR
//     code that a telephone reads from paper;
//   - what was made for a demonstration says so at its head;
//   - no name or reason that somebody typed can turn the text around or leave its
//     place.
package document

import (
	"embed"
	"io/fs"

	"diwan/internal/gov"
	"diwan/internal/i18n"
)

//go:embed messages/*.json
var messages embed.FS

// Messages returns the words of documents, all under "document.".
func Messages() fs.FS {
	f, err := fs.Sub(messages, "messages")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}

// Maker composes the documents of one country.
type Maker struct {
	Country *gov.Country
	Words   *i18n.Catalog
	// Unreviewed are languages whose words no speaker has reviewed; their pages say
	// so.
	Unreviewed []gov.Lang
	// Langs are the languages of documents that name none, one page after the other.
	Langs []gov.Lang
}
