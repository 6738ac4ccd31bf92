package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"diwan/internal/beside"
)

// shared finds a file beside the project, or skips the test.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	found, err := beside.Find(name)
	if err != nil {
		t.Skip("the vectors are absent: ", err)
	}
	b, err := os.ReadFile(found)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPetstore(t *testing.T) {
	doc := shared(t, "vectors/x-road/petstore.json")
	want := bytes.Replace(doc, []byte(`"https://petstore.swagger.io/v2"`), []byte(`"/v2"`), 1)
	if bytes.Equal(doc, want) {
		t.Fatal("the vector has no server to replace")
	}
	for _, c := range []struct{ contentType, path string }{
		{"application/json; charset=utf-8", "/x"}, {"text/plain", "/petstore.json"}, {"", "/petstore"}, {"application/x-yaml", "/petstore.json"},
	} {
		got, err := Rewrite(doc, c.contentType, c.path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q %q: %v, first difference %s", c.contentType, c.path, err, difference(got, want))
		}
	}
	if _, err := Rewrite([]byte("openapi: 3.0.0\n"), "application/json", ""); !errors.Is(err, ErrDocument) {
		t.Error("YAML is taken for JSON")
	}
}

func difference(a, b []byte) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return string(a[max(0, i-40):min(len(a), i+40)])
		}
	}
	return "length"
}

func TestRewriteJSON(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{`{"openapi":"3.0.0", "servers" : [ {"url" :"https://a.internal:8443/v2/x?y" , "description":"d"} ]}`, `{"openapi":"3.0.0", "servers" : [ {"url" :"/v2/x" , "description":"d"} ]}`},
		{`{"servers":[{"url":"http://h"},{"url":"/rel"}],"openapi":"3.1.0"}`, `{"servers":[{"url":"/"},{"url":"/rel"}],"openapi":"3.1.0"}`},
		{`{"openapi":"3.0.0","servers":[{"url":"https://{h}/v2","variables":{"h":{}}},{"variables":{},"url":"https://{h}/v2"}]}`,
			`{"openapi":"3.0.0","servers":[{"url":"https://{h}/v2","variables":{"h":{}}},{"variables":{},"url":"/"}]}`},
		{`{"openapi":"3.0.0","servers":[{"url":"https://a/1","url":"https://b/2"}]}`, `{"openapi":"3.0.0","servers":[{"url":"/1","url":"/2"}]}`},
		{`{"openapi":"3.0.0","paths":{"/x":{"servers":[{"url":"https://a/1"}],"get":{"servers":[{"url":"https://a/2"}],"example":{"servers":[{"url":"https://kept/"}]}}}}}`,
			`{"openapi":"3.0.0","paths":{"/x":{"servers":[{"url":"/1"}],"get":{"servers":[{"url":"/2"}],"example":{"servers":[{"url":"https://kept/"}]}}}}}`},
		{`{"openapi":"3.0.0","servers":[{"url":"https:\/\/h\/a%2Fb\u002fc"}]}`, `{"openapi":"3.0.0","servers":[{"url":"/a%2Fb/c"}]}`},
		{`{"openapi":"3.0.0","servers":[{"url":7},{"url":null},"https://x/",null]}`, `{"openapi":"3.0.0","servers":[{"url":7},{"url":null},"https://x/",null]}`},
		{`{"openapi":"3.0.0","servers":{"url":"https://kept/"}}`, `{"openapi":"3.0.0","servers":{"url":"https://kept/"}}`},
	} {
		got, err := RewriteJSON([]byte(c.doc))
		if err != nil || string(got) != c.want {
			t.Errorf("%s\ngave %s %v\nwant %s", c.doc, got, err, c.want)
		}
	}
}

func TestRewriteYAML(t *testing.T) {
	for _, c := range []struct{ doc, want string }{
		{"openapi: 3.0.0 # kept\nservers:\n  - url: https://a.internal/v2   # where\n  - url: 'https://b/v3'\n  - {description: \u00e9, url: \"https://c/v4\"}\ninfo: {title: x}\n",
			"openapi: 3.0.0 # kept\nservers:\n  - url: \"/v2\"   # where\n  - url: \"/v3\"\n  - {description: \u00e9, url: \"/v4\"}\ninfo: {title: x}\n"},
		{"openapi: '3.1.0'\r\nservers:\r\n- url: https://a/v2\r\n", "openapi: '3.1.0'\r\nservers:\r\n- url: \"/v2\"\r\n"},
		{"openapi: 3.0.0\nservers:\n- url: https://{h}/v2\n  variables: {h: {default: x}}\n", "openapi: 3.0.0\nservers:\n- url: https://{h}/v2\n  variables: {h: {default: x}}\n"},
		{"openapi: 3.0.0\nservers:\n- url: https://a/v2\npaths:\n  /x:\n    servers:\n    - url: https://b/v3\n    get:\n      servers: [{url: https://c/v4}]\n",
			"openapi: 3.0.0\nservers:\n- url: \"/v2\"\npaths:\n  /x:\n    servers:\n    - url: \"/v3\"\n    get:\n      servers: [{url: \"/v4\"}]\n"},
		{"x-a: {url: https://kept/}\nopenapi: 3.0.0\n", "x-a: {url: https://kept/}\nopenapi: 3.0.0\n"},
	} {
		got, err := RewriteYAML([]byte(c.doc))
		if err != nil || string(got) != c.want {
			t.Errorf("%s\ngave\n%s %v\nwant\n%s", c.doc, got, err, c.want)
		}
	}
}

// Addresses that can't be replaced where they stand, aliases and merges.
func TestRewriteYAMLByMeaning(t *testing.T) {
	for _, doc := range []string{
		"openapi: 3.0.0\nservers:\n- url: >-\n    https://secret/v2\n", "openapi: 3.0.0\nservers:\n- url: &u https://secret/v2\n- url: *u\n",
		"openapi: 3.0.0\nx-s: &s\n  url: https://secret/v2\nservers:\n- *s\n- <<: *s\n  description: d\n- <<: [*s]\n",
		"openapi: 3.0.0\nservers:\n- url: \"https://\\x73ecret/v2\"\n", "openapi: 3.0.0\nservers:\n- url: !!str https://secret/v2\n",
		"openapi: 3.0.0\nservers:\n- url: \"https://secret\\\n    /v2\"\n", "\ufeffopenapi: 3.0.0\nservers: [{\"url\": \"https://secret/v2\"}]\n",
		"openapi: 3.0.0\nservers: &a\n- url: https://secret/v2\npaths:\n  /x:\n    servers: *a\n",
	} {
		got, err := RewriteYAML([]byte(doc))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		var v struct {
			Servers []struct{ URL string }
		}
		if err := yaml.Unmarshal(got, &v); err != nil {
			t.Errorf("%s: %v", got, err)
			continue
		}
		for _, s := range v.Servers {
			if s.URL != "/v2" {
				t.Errorf("%s\ngave\n%s", doc, got)
			}
		}
		if bytes.Contains(got, []byte("secret")) {
			t.Errorf("%s\ngave\n%s", doc, got)
		}
	}
}

func TestRefused(t *testing.T) {
	bomb := "openapi: 3.0.0\na0: &a0 [x]\n"
	for i := range 30 {
		bomb += strings.ReplaceAll(strings.ReplaceAll("aN: &aN [*aM, *aM]\n", "N", string(rune('a'+i))), "M", string(rune('a'+i-1)))
	}
	for _, doc := range []string{
		"", "\x00", "swagger: '2.0'\n", "openapi: 2.0\n", "- openapi: 3.0.0\n", "openapi: 3.0.0\n---\nservers: [{url: https://second/}]\n", "\xff\xfeo\x00p\x00",
		"a: [", "openapi: [3]\n", strings.Repeat("[", 20000), strings.Repeat("a: &a [*a]\n", 2),
		strings.Repeat(" ", MaxBytes+1), `{"a":` + strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500) + `}`, `{"swagger":"2.0"}`, `{"openapi":"30"}`,
	} {
		for name, f := range map[string]func([]byte) ([]byte, error){"JSON": RewriteJSON, "YAML": RewriteYAML} {
			if got, err := f([]byte(doc)); !errors.Is(err, ErrDocument) {
				t.Errorf("%s %.40q passes: %.40q %v", name, doc, got, err)
			}
		}
	}
	// Aliases are followed only where servers stand, so that this costs nothing.
	if _, err := RewriteYAML([]byte(bomb)); err != nil && !errors.Is(err, ErrDocument) {
		t.Error(err)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"openapi":"3.0.0","servers":[{"url":"https://a/v2"}],"paths":{"/x":{"get":{"servers":[{"url":"https://b"}]}}}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := RewriteJSON(doc)
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q became %q", doc, got)
		}
		again, err := RewriteJSON(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q: twice is not once: %q %v", got, again, err)
		}
	})
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte("openapi: 3.0.0\nservers:\n- url: https://a/v2\n- &x {url: 'http://b'}\n- *x\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := RewriteYAML(doc)
		if err != nil {
			return
		}
		before, after := serversOf(doc), serversOf(got)
		if len(before) != len(after) {
			t.Fatalf("%q became %q", doc, got)
		}
		for i := range before {
			if want := pathOf(before[i]); after[i] != want && after[i] != before[i] {
				t.Fatalf("%q became %q: %q is not %q", doc, got, after[i], want)
			}
		}
	})
}

func serversOf(doc []byte) []string {
	var v map[string]any
	if yaml.Unmarshal(doc, &v) != nil {
		return nil
	}
	list, _ := v["servers"].([]any)
	var out []string
	for _, s := range list {
		if m := reflect.ValueOf(s); m.IsValid() && m.Kind() == reflect.Map {
			for _, k := range m.MapKeys() {
				if name, ok := k.Interface().(string); ok && name == "url" {
					if u, ok := m.MapIndex(k).Interface().(string); ok {
						out = append(out, u)
					}
				}
			}
		}
	}
	return out
}
