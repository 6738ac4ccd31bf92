package cpsv

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"diwan/internal/beside"
	"diwan/internal/gov"
)

// leaves returns the paths of a struct's fields as a table names them: nested
// structs are opened, except those that are values.
func leaves(t reflect.Type, prefix string) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[gov.Date]() {
			out = append(out, leaves(f.Type, prefix+f.Name+".")...)
		} else {
			out = append(out, prefix+f.Name)
		}
	}
	return out
}

// A field of the model that stands in no table would be lost on the way.
func TestEveryFieldIsBound(t *testing.T) {
	for name, c := range classes {
		bound := map[string]int{}
		for _, b := range c.table {
			bound[b.field]++
			if (b.shape == parts || b.shape == ref || b.shape == refs) && classes[b.list] == nil {
				t.Errorf("%s: %s belongs to a class %q that does not exist", name, b.field, b.list)
			}
		}
		for _, f := range leaves(c.model, "") {
			if bound[f] != 1 {
				t.Errorf("%s: field %s is bound %d times", name, f, bound[f])
			}
			delete(bound, f)
		}
		for f := range bound {
			t.Errorf("%s: the table has a field %s that the model has not", name, f)
		}
	}
}

// One property is written in one way, or a JSON-LD context could not say how.
func TestPropertiesHaveOneForm(t *testing.T) {
	seen := map[string]coercion{}
	for _, c := range classes {
		for _, b := range c.table {
			how := shapeCoercion[b.shape]
			if was, ok := seen[b.prop]; ok && was != how {
				t.Errorf("%s is written both as %q and as %q", b.prop, was, how)
			}
			seen[b.prop] = how
		}
	}
	for p, how := range derived {
		if was, ok := seen[p]; ok && was != how {
			t.Errorf("%s is written both as %q and as %q", p, was, how)
		}
	}
}

// The own vocabulary describes exactly what is used of it.
func TestOwnVocabularyIsComplete(t *testing.T) {
	used := map[string]bool{}
	own := func(short string) {
		if name, ok := strings.CutPrefix(short, ownPrefix+":"); ok {
			used[name] = true
		}
	}
	for p := range coercions() {
		own(p)
	}
	for _, c := range classes {
		for _, ty := range c.types {
			own(ty)
		}
	}
	for name := range used {
		if vocabulary().Terms[name].Kind == "" {
			t.Errorf("the vocabulary does not describe %q", name)
		}
	}
	for name, term := range vocabulary().Terms {
		if term.Kind != "value" && !used[name] {
			t.Errorf("the vocabulary describes %q, which nothing uses", name)
		}
		for _, l := range []gov.Lang{"ar", "en", "fr"} {
			if term.Label[l] == "" {
				t.Errorf("%s has no label in %s", name, l)
			}
		}
	}
}

// shared returns the folder of reference material beside the repository, or
// skips the test. In CI its absence is a skip too, but a failure to use it is not.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	found, err := beside.Find(strings.Join(path, "/"))
	if err != nil {
		t.Skip("not compared with the standards: ", err)
	}
	return found
}

// The shapes of the standard are open: a misspelt property would pass them. Every
// property and class that is not the portal's own must stand in the contexts
// that the standards publish.
func TestStandardNamesExist(t *testing.T) {
	known := map[string]bool{rdfType: true}
	for _, name := range []string{"cpsv-ap/cpsv-ap.context.jsonld", "cccev/cccev-ap.context.jsonld"} {
		b, err := os.ReadFile(shared(t, "schemas", name))
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Context map[string]any `json:"@context"`
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		for _, v := range doc.Context {
			switch x := v.(type) {
			case string:
				known[x] = true
			case map[string]any:
				known[x["@id"].(string)] = true
			}
		}
	}
	// Terms of base vocabularies, which the contexts name through their parts.
	n := namesOf("https://portal.example")
	d := Export(starter(t))
	count := 0
	err := d.walk(func(x *node) error {
		for _, p := range x.props {
			count++
			check := []string{p.iri}
			if p.iri == rdfType {
				check = nil
				for _, v := range p.values {
					check = append(check, v.value)
				}
			}
			for _, iri := range check {
				if !strings.HasPrefix(iri, n.own) && !known[iri] {
					t.Errorf("%s: %s stands in no released context", x.id, iri)
					known[iri] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 1000 {
		t.Fatalf("only %d properties were checked", count)
	}
}
