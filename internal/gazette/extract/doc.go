// Package extract turns files into pages of text: PDF, pictures of pages, DOCX,
// HTML and plain text, each page with its lines in reading order, where every
// line stands, and how far it can be trusted.
//
// It knows nothing of a database or of law. What a file says about itself is
// never believed: its type comes from its bytes, every size is bounded before
// memory is taken for it, and the programs it needs (tesseract, poppler) run as
// processes of their own with bounds on time, memory and output. Whatever goes
// wrong comes back as an Error with a stable code. Arabic taken from the text
// layer of a PDF is not trusted: it is compared with what is seen on the page,
// and the difference is part of the result.
package extract
