package pdf

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// producer is what wrote the file.
const producer = "Diwan"

func (d *Doc) creator() string {
	if d.meta.Creator == "" {
		return producer
	}
	return d.meta.Creator
}

// info is the old form of the metadata. It must say what the XMP says
// (ISO 19005-2, 6.6.3).
func (d *Doc) info() string {
	var b strings.Builder
	b.WriteString("<<")
	for _, kv := range [][2]string{{"Title", d.meta.Title}, {"Author", d.meta.Author}, {"Subject", d.meta.Subject},
		{"Keywords", strings.Join(d.meta.Keywords, ", ")}, {"Creator", d.creator()}, {"Producer", producer}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "/%s %s ", kv[0], textString(kv[1]))
		}
	}
	if !d.meta.Date.IsZero() {
		at := d.meta.Date.UTC().Format("20060102150405")
		fmt.Fprintf(&b, "/CreationDate (D:%sZ) /ModDate (D:%sZ)", at, at)
	}
	b.WriteString(">>")
	return b.String()
}

func (d *Doc) xmp() []byte {
	var b bytes.Buffer
	esc := func(s string) string {
		var e bytes.Buffer
		_ = xml.EscapeText(&e, []byte(s)) // into memory
		return e.String()
	}
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" ` +
		`xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">` +
		"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance><dc:format>application/pdf</dc:format>\n")
	fmt.Fprintf(&b, "<pdf:Producer>%s</pdf:Producer><xmp:CreatorTool>%s</xmp:CreatorTool>\n", esc(producer), esc(d.creator()))
	if d.meta.Title != "" {
		fmt.Fprintf(&b, "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:title>\n", esc(d.meta.Title))
	}
	if d.meta.Subject != "" {
		fmt.Fprintf(&b, "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:description>\n", esc(d.meta.Subject))
	}
	if d.meta.Author != "" {
		fmt.Fprintf(&b, "<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>\n", esc(d.meta.Author))
	}
	if d.meta.Lang != "" {
		fmt.Fprintf(&b, "<dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language>\n", esc(d.meta.Lang))
	}
	if len(d.meta.Keywords) > 0 {
		fmt.Fprintf(&b, "<pdf:Keywords>%s</pdf:Keywords>\n", esc(strings.Join(d.meta.Keywords, ", ")))
	}
	if !d.meta.Date.IsZero() {
		at := d.meta.Date.UTC().Format("2006-01-02T15:04:05Z")
		fmt.Fprintf(&b, "<xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate>\n", at, at)
	}
	b.WriteString("</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>")
	return b.Bytes()
}
