package cpsv

import (
	"io/fs"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/catalogue/model"
)

// starter returns the built-in catalogue as it is exported.
func starter(t testing.TB) Data {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	d := Data{Base: "https://portal.example", Country: pack.Country}
	readAll(t, pack.Files, "administrations*.json", &d.Administrations)
	readAll(t, pack.Files, "catalogue/administrations*.json", &d.Administrations)
	readAll(t, pack.Files, "catalogue/services.json", &d.Services)
	readAll(t, pack.Files, "catalogue/themes.json", &d.Themes)
	readAll(t, pack.Files, "catalogue/life-events.json", &d.LifeEvents)
	for _, s := range []struct {
		pattern string
		state   model.State
	}{{"catalogue/procedures/*.json", model.Published}, {"catalogue/listed/*.json", model.Listed}} {
		var ps []*model.Procedure
		readAll(t, pack.Files, s.pattern, &ps)
		for _, p := range ps {
			d.Procedures = append(d.Procedures, Item{Procedure: p, Version: 1, State: s.state, Changed: time.Unix(0, 0)})
		}
	}
	if len(d.Procedures) == 0 || len(d.LifeEvents) == 0 {
		t.Fatal("the starter catalogue is empty")
	}
	return d
}

func readAll[T any](t testing.TB, files fs.FS, pattern string, into *[]*T) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		var part []*T
		if err := country.Decode(files, n, &part); err != nil {
			t.Fatal(err)
		}
		*into = append(*into, part...)
	}
}
