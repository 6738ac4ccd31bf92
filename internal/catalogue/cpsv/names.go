package cpsv

import (
	"net/url"
	"strings"
)

// prefixes are the short names of the vocabularies used. The portal's own, under
// ownPrefix, depends on its address and is added to them.
var prefixes = map[string]string{
	"adms": "http://www.w3.org/ns/adms#",
	"cpsv": "http://purl.org/vocab/cpsv#",
	"cv":   "http://data.europa.eu/m8g/",
	"dcat": "http://www.w3.org/ns/dcat#",
	"dct":  "http://purl.org/dc/terms/",
	"eli":  "http://data.europa.eu/eli/ontology#",
	"foaf": "http://xmlns.com/foaf/0.1/",
	"org":  "http://www.w3.org/ns/org#",
	"owl":  "http://www.w3.org/2002/07/owl#",
	"rdf":  "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
	"rdfs": "http://www.w3.org/2000/01/rdf-schema#",
	"skos": "http://www.w3.org/2004/02/skos/core#",
	"time": "http://www.w3.org/2006/time#",
	"xsd":  "http://www.w3.org/2001/XMLSchema#",
}

// ownPrefix is the short name of the portal's own vocabulary.
const ownPrefix = "diwan"

const (
	rdfType     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
	rdfFirst    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first"
	rdfRest     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest"
	rdfNil      = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil"
	rdfLangText = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
	xsd         = "http://www.w3.org/2001/XMLSchema#"
	xsdString   = xsd + "string"
)

// DefaultBase stands in for the public address of a portal that was given none:
// the identifiers of a linked document must be absolute.
const DefaultBase = "http://localhost:8080"

// names knows the addresses of one portal.
type names struct {
	base string // without a final slash
	own  string // of the portal's own vocabulary
}

// ownPath follows the portal's address in its own vocabulary.
const ownPath = "/ns#"

func namesOf(base string) names {
	base = strings.TrimRight(base, "/")
	if base == "" {
		base = DefaultBase
	}
	return names{base, base + ownPath}
}

// iri writes out a short name such as "dct:title".
func (n names) iri(short string) string {
	prefix, local, _ := strings.Cut(short, ":")
	if prefix == ownPrefix {
		return n.own + local
	}
	return prefixes[prefix] + local
}

// code is the address of a value of one of the portal's own code lists.
func (n names) code(list, value string) string { return n.own + list + "-" + url.PathEscape(value) }

// uncode returns the value of a code, and whether the address is one of the list.
func (n names) uncode(list, iri string) (string, bool) {
	rest, ok := strings.CutPrefix(iri, n.own+list+"-")
	if !ok {
		return "", false
	}
	v, err := url.PathUnescape(rest)
	return v, err == nil && v != ""
}

// thing is the address of a procedure, an administration …: where the portal's
// interface for programs answers with it.
func (n names) thing(c *class, id string) string {
	return n.base + "/api/v1/" + c.path + "/" + url.PathEscape(id)
}

// idOf returns the id at the end of an address, for things that a document
// refers to and does not describe.
func idOf(iri string) string {
	iri, _, _ = strings.Cut(iri, "#")
	v, err := url.PathUnescape(iri[strings.LastIndexByte(iri, '/')+1:])
	if err != nil {
		return ""
	}
	return v
}

func iriOf(s string) term           { return term{kind: iriTerm, value: s} }
func plain(s string) term           { return term{kind: literalTerm, value: s} }
func typed(s, datatype string) term { return term{kind: literalTerm, value: s, datatype: datatype} }
func tagged(s, lang string) term {
	return term{kind: literalTerm, value: s, lang: strings.ToLower(lang)}
}
