package country

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestBuiltinPackIsSound(t *testing.T) {
	if _, err := Load(Builtin()); err != nil {
		t.Fatal(err)
	}
	faults, err := Check(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults[:min(30, len(faults))] {
		t.Error(f)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	files := fstest.MapFS{"country.json": {Data: []byte("{\n \"code\": \"XX\",\n \"colour\": 1\n}")}}
	_, err := Load(files)
	if err == nil || !strings.Contains(err.Error(), "country.json, line ") || !strings.Contains(err.Error(), "colour") {
		t.Errorf("Load = %v", err)
	}
	files["country.json"] = &fstest.MapFile{Data: []byte("{\n \"code\": \"XX\",\n}")}
	if _, err = Load(files); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("Load = %v", err)
	}
}

func TestCheckFindsFaults(t *testing.T) {
	files := fstest.MapFS{
		"law.json":     {Data: []byte(`{"act":"not an address"}`)},
		"stranger.txt": {Data: []byte(`x`)},
	}
	faults, err := Check(files)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(faults, "\n")
	for _, want := range []string{"law.json/act", "stranger.txt"} {
		if !strings.Contains(all, want) {
			t.Errorf("no fault for %s in:\n%s", want, all)
		}
	}
}
