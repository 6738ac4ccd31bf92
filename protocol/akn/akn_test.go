package akn

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestIRI(t *testing.T) {
	for _, c := range []struct {
		in, work, expression string
		want                 IRI
	}{
		{"/akn/lu/act/loi/2020/55-19", "/akn/lu/act/loi/2020/55-19", "/akn/lu/act/loi/2020/55-19",
			IRI{Country: "lu", Type: "act", Subtype: "loi", Date: "2020", Number: "55-19"}},
		{"/akn/lu/act/loi/2020/55-19/fra@2020-03-19", "/akn/lu/act/loi/2020/55-19", "/akn/lu/act/loi/2020/55-19/fra@2020-03-19",
			IRI{Country: "lu", Type: "act", Subtype: "loi", Date: "2020", Number: "55-19", Lang: "fra", Version: "2020-03-19"}},
		{"/akn/lu/act/loi/2020/55-19/fra@", "/akn/lu/act/loi/2020/55-19", "/akn/lu/act/loi/2020/55-19/fra@",
			IRI{Country: "lu", Type: "act", Subtype: "loi", Date: "2020", Number: "55-19", Lang: "fra", Original: true}},
		{"/akn/lu/act/2020-03-06/fra:2021-01-01/!main~art_5.xml", "/akn/lu/act/2020-03-06", "/akn/lu/act/2020-03-06/fra:2021-01-01",
			IRI{Country: "lu", Type: "act", Date: "2020-03-06", Lang: "fra", View: "2021-01-01", Component: "main", Portion: "art_5", Format: "xml"}},
		{"/akn/lu/officialGazette/generale/2026/7480", "/akn/lu/officialGazette/generale/2026/7480", "/akn/lu/officialGazette/generale/2026/7480",
			IRI{Country: "lu", Type: "officialGazette", Subtype: "generale", Date: "2026", Number: "7480"}},
		{"/akn/lu/act/decret/undated/x-1f/~art_5bis", "/akn/lu/act/decret/undated/x-1f", "/akn/lu/act/decret/undated/x-1f",
			IRI{Country: "lu", Type: "act", Subtype: "decret", Date: "undated", Number: "x-1f", Portion: "art_5bis"}},
	} {
		got, err := ParseIRI(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.in, got, err)
		}
		if got.Work() != c.work || got.Expression() != c.expression || got.String() != c.in {
			t.Errorf("%s is written %s, %s, %s", c.in, got.Work(), got.Expression(), got.String())
		}
	}
	for _, s := range []string{"", "/", "/akn/", "/akn/lu/act", "/akn/lu/act/loi", "/akn/lu/act/loi/2020/5/6/7", "/akn/lu/act/loi/20/5", "/akn/../act/2020",
		"/akn/lu/act/loi/2020/55-19/fra@2020-13-40", "/akn/lu/act/loi/2020/55 19", "/akn/lu/act/loi/2020/<b>", "/akn/lu/act/loi/2020/5~art 1", "/akn/" + strings.Repeat("a", 600)} {
		if got, err := ParseIRI(s); !errors.Is(err, ErrIRI) {
			t.Errorf("%q was taken for %+v, %v", s, got, err)
		}
	}
}

func FuzzParseIRI(f *testing.F) {
	f.Add("/akn/lu/act/loi/2020/55-19/fra@2020-03-19/!main~art_5.xml")
	f.Add("/akn/lu/act/2020-03-06/fra:2021-01-01")
	f.Fuzz(func(t *testing.T, s string) {
		iri, err := ParseIRI(s)
		if err != nil {
			return
		}
		again, err := ParseIRI(iri.String())
		if err != nil || again != iri {
			t.Fatalf("%q became %q: %+v, %+v, %v", s, iri.String(), iri, again, err)
		}
	})
}

func sample() *Node {
	m := Meta{Work: IRI{Country: "lu", Type: "act", Subtype: "loi", Date: "2020", Number: "55-19"}, Lang: "fra", Version: "2020-03-19", Created: "2020-03-06",
		DateName: "signature", Author: "Parliament", Source: "Gazette", Number: "55-19", Alias: "/eli/lu/loi/2020-03-06/55-19",
		Publication: &Publication{Date: "2020-03-19", Name: "generale", Number: "6866", ShowAs: "6866"},
		Events:      []Event{{Date: "2020-03-06", Type: "generation"}, {Date: "2021-01-01", Type: "amendment", By: "/akn/lu/act/loi/2021/1-21"}},
		Passive:     []Modification{{"substitution", "/akn/lu/act/loi/2021/1-21/~art_1", "/akn/lu/act/loi/2020/55-19/~art_2"}},
		Keywords:    []string{"administration"}}
	return E("akomaNtoso", E("act", A("name", "loi"), A("contains", "singleVersion"), m.Node(),
		E("preface", E("longTitle", E("p", E("docTitle", "Law & order <5>")))),
		E("body", E("article", A("eId", "art_1"), E("num", "Article 1"), E("content", E("p", "See ", E("ref", A("href", "/akn/lu/act/loi/2020/1-20"), "law 1-20"), " \u0001."))))))
}

func TestWriteAndParse(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	root, err := Parse(b.Bytes(), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if got := root.Child("act", "preface", "longTitle").PlainText(); got != "Law & order <5>" {
		t.Errorf("title %q", got)
	}
	if got := root.Child("act", "body", "article", "content").PlainText(); got != "See law 1-20 \ufffd." {
		t.Errorf("text %q", got)
	}
	m, err := ReadMeta(root.Child("act", "meta"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Work.Work() != "/akn/lu/act/loi/2020/55-19" || m.Lang != "fra" || m.Version != "2020-03-19" || m.Created != "2020-03-06" || m.Alias == "" ||
		m.Publication == nil || m.Publication.Number != "6866" {
		t.Errorf("%+v", m)
	}
	validate(t, b.Bytes())
}

// validate checks a document against the strict schema of the standard.
func validate(t *testing.T, doc []byte) {
	t.Helper()
	schema := filepath.Join("..", "..", "..", "shared", "schemas", "akn", "akomantoso30.xsd")
	if _, err := os.Stat(schema); err != nil {
		t.Skip("the schema of Akoma Ntoso is absent: skipped")
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is missing: install libxml2-utils")
		}
		t.Skip("xmllint is missing (Debian libxml2-utils): skipped")
	}
	name := filepath.Join(t.TempDir(), "doc.xml")
	if err := os.WriteFile(name, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("xmllint", "--nonet", "--noout", "--schema", schema, name).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

func TestParseBounds(t *testing.T) {
	if _, err := Parse([]byte(strings.Repeat("<a>", 1000)), DefaultLimits); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too deep: %v", err)
	}
	if _, err := Parse([]byte("<a>"+strings.Repeat("<b/>", 100)+"</a>"), Limits{Bytes: 1 << 20, Depth: 10, Nodes: 50}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many: %v", err)
	}
	if _, err := Parse(make([]byte, 100), Limits{Bytes: 10, Depth: 10, Nodes: 10}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
	bomb := `<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;">]><a>&y;</a>`
	if _, err := Parse([]byte(bomb), DefaultLimits); !errors.Is(err, ErrSyntax) {
		t.Errorf("an entity was expanded: %v", err)
	}
	for _, s := range []string{"", "text", "<a>", "<a></b>", "\x00\x01"} {
		if _, err := Parse([]byte(s), DefaultLimits); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	var b bytes.Buffer
	Write(&b, sample())
	f.Add(b.Bytes())
	f.Add([]byte("<akomaNtoso><act/></akomaNtoso>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := Parse(data, Limits{Bytes: 1 << 16, Depth: 30, Nodes: 5000})
		if err != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := Write(&once, root); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(once.Bytes(), Limits{Bytes: 1 << 20, Depth: 40, Nodes: 10000})
		if err != nil {
			t.Fatalf("what was written can't be read: %v\n%s", err, once.Bytes())
		}
		if Write(&twice, again); again.PlainText() != root.PlainText() {
			t.Fatalf("%q became %q", root.PlainText(), again.PlainText())
		}
	})
}
