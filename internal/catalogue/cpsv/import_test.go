package cpsv

import (
	"strings"
	"testing"

	"diwan/internal/problem"
)

const foreignTurtle = `@prefix cv: <http://data.europa.eu/m8g/> .
@prefix cpsv: <http://purl.org/vocab/cpsv#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<http://other.example/s/1> a cpsv:PublicService ;
  dct:identifier "permit" ;
  dct:title "Permit"@en ;
  dct:description "A permit"@en ;
  cv:hasCompetentAuthority <http://other.example/org/7> ;
  cv:processingTime "P30D"^^xsd:duration ;
  cv:hasLegalResource <http://other.example/law/1> ;
  cv:hasCost [ a cv:Cost ; dct:identifier "c" ; cv:hasValue "75.5"^^xsd:double ] ;
  cv:hasInputType [ a cv:EvidenceType ; dct:identifier "card" ; skos:prefLabel "Card"@en ] .
<http://other.example/org/7> a cv:PublicOrganisation ; dct:identifier "town" ; skos:prefLabel "Town"@en .
<http://other.example/law/1> dct:title "Law"@en .
`

// Documents of others are read as far as the standard goes.
func TestForeignDocument(t *testing.T) {
	c, err := Import(strings.NewReader(foreignTurtle), Turtle)
	if err != nil {
		t.Fatal(problem.From(err).Fields)
	}
	if len(c.Procedures) != 1 || len(c.Administrations) != 1 {
		t.Fatalf("read %d procedures and %d administrations", len(c.Procedures), len(c.Administrations))
	}
	p := c.Procedures[0]
	days, _ := p.Deadline.Max()
	switch {
	case p.ID != "permit", p.Name["en"] != "Permit", p.Summary["en"] != "A permit", p.Competent != "town", days != 30:
		t.Errorf("read %+v", p)
	case len(p.Fees) != 1 || *p.Fees[0].Amount != 7550:
		t.Errorf("fees %+v", p.Fees)
	case len(p.Evidence) != 1 || p.Evidence[0].ID != "card":
		t.Errorf("evidence %+v", p.Evidence)
	case len(p.LegalBasis) != 1 || p.LegalBasis[0].Title["en"] != "Law":
		t.Errorf("law %+v", p.LegalBasis)
	}
	if c.Places["procedure/permit"] != "line 6, column 1" {
		t.Errorf("the procedure stands at %q", c.Places["procedure/permit"])
	}
}

func TestFaultsOfContent(t *testing.T) {
	service := `"@id":"urn:s","@type":"http://purl.org/vocab/cpsv#PublicService"`
	for _, c := range []struct{ name, format, in, at, code string }{
		{"not JSON", JSONLD, "{\n \"a\": }", "line 2, column 7", "import.json"},
		{"cut short", JSONLD, `{"a": [1`, "line 1, column 9", "import.json"},
		{"nothing", JSONLD, ` `, "line 1, column 2", "import.json"},
		{"two values", JSONLD, `{} {}`, "line 1, column 4", "import.json"},
		{"remote context", JSONLD, "{\n\"@context\":\"https://evil.example/c\"}", "line 2, column 12", "import.rdf.remote"},
		{"remote context inside", JSONLD, `{"@context":{"@import":"https://evil.example/c"}}`, "line 1, column 24", "import.rdf.remote"},
		{"deep", JSONLD, strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100), "line 1, column 65", "import.rdf.deep"},
		{"plain title", JSONLD, "{\n" + service + `,"http://purl.org/dc/terms/identifier":"x","http://purl.org/dc/terms/title":"y"}`, "line 2, column 7", "import.rdf.language"},
		{"no identifier", JSONLD, "{" + service + "}", "line 1, column 8", "import.rdf.missing"},
		{"not UTF-8", Turtle, "<urn:\xff>", "line 1, column 6", "import.encoding"},
		{"many titles", Turtle, strings.Replace(foreignTurtle, `"Permit"@en`, `"Permit"@en, "b"@en`, 1), "line 8, column 26", "import.rdf.many"},
		{"bad amount", Turtle, strings.Replace(foreignTurtle, "75.5", "75.555", 1), "line 13, column 61", "import.rdf.value"},
		{"twice", Turtle, foreignTurtle + strings.ReplaceAll(foreignTurtle, "/s/1", "/s/2"), "line 22, column 1", "import.double"},
		{"other format", "xml", "", "", "import.format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Import(strings.NewReader(c.in), c.format)
			if !problem.Is(err, problem.Invalid) {
				t.Fatalf("got %v", err)
			}
			e := problem.From(err)
			code, at := e.Code, ""
			if len(e.Fields) > 0 {
				code, at = e.Fields[0].Code, e.Fields[0].Path
			}
			if code != c.code || at != c.at {
				t.Errorf("%s at %q, want %s at %q", code, at, c.code, c.at)
			}
		})
	}
}

// A document may name the context of a portal like this one, which is known
// without being fetched.
func TestKnownContext(t *testing.T) {
	c, err := Import(strings.NewReader(`{"@context":"https://p.example/api/v1/context.jsonld","@graph":[
	 {"@id":"https://p.example/api/v1/catalogue","diwan:formatVersion":"1"},
	 {"@id":"https://p.example/api/v1/procedures/a-permit","@type":"cpsv:PublicService","dct:identifier":"a-permit",
	  "dct:title":{"fr":"Permis"},"diwan:silenceEffect":"diwan:silence-approval",
	  "cv:hasCompetentAuthority":"https://p.example/api/v1/administrations/town"}]}`), JSONLD)
	if err != nil {
		t.Fatal(problem.From(err).Fields)
	}
	p := c.Procedures[0]
	if p.Name["fr"] != "Permis" || p.Silence.Effect != "approval" || p.Competent != "town" {
		t.Errorf("read %+v", p)
	}
}

// Parts that belong to themselves must not hang the reader.
func TestCircleOfParts(t *testing.T) {
	in := foreignTurtle + `<urn:q> a cv:LifeEvent ; dct:identifier "e" ; dct:title "E"@en ; <http://x.example/ns#question> <urn:q> ; <http://x.example/ns#answer> <urn:q> ;
 <http://x.example/ns#formatVersion> "1" .`
	if _, err := Import(strings.NewReader(in), Turtle); err != nil && !problem.Is(err, problem.Invalid) {
		t.Error(err)
	}
}

func FuzzTurtle(f *testing.F) {
	for _, s := range []string{foreignTurtle, `[ <a> ( 1 "x"@en ) ] .`, "@base <http://h/> . <a> a 'b' .", `<urn:s> a """x\u00e9""" .`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 10_000 {
			return
		}
		c, err := Import(strings.NewReader(s), Turtle)
		if err != nil && !problem.Is(err, problem.Invalid) {
			t.Fatal(err)
		}
		if err == nil && c == nil {
			t.Fatal("neither content nor an error")
		}
	})
}

func FuzzJSONLD(f *testing.F) {
	for _, s := range []string{
		`{"@context":{"t":"http://purl.org/dc/terms/title"},"@id":"urn:a","t":{"@value":"x","@language":"fr"}}`,
		`{"@context":"https://p.example/api/v1/context.jsonld","@graph":[{"@id":"_:a","@type":"cpsv:PublicService","dct:title":{"fr":"x"}}]}`,
		`[{"@reverse":{"urn:p":[{"@id":"urn:x"}]},"urn:q":[{"@list":[1,true,"a"]}]}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4_000 {
			return
		}
		c, err := Import(strings.NewReader(s), JSONLD)
		if err != nil && !problem.Is(err, problem.Invalid) {
			t.Fatal(err)
		}
		if err == nil && c == nil {
			t.Fatal("neither content nor an error")
		}
	})
}
