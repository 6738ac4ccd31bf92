package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/gazette"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/protocol/akn"
)

// The law of a second country is data: its words for citations, for amending
// clauses and for entry into force are in its pack, and its acts are linked,
// changed and ended by each other without a line of code.
func TestSecondCountryLaw(t *testing.T) {
	a := openApp(t, func(c *Config) { c.Country, c.Demo = "testdata/lumeria", true })
	ctx := t.Context()
	files, err := filepath.Glob("testdata/lumeria-law/*.txt")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	var inputs []gazette.Input
	for _, name := range files {
		inputs = append(inputs, gazette.Input{Name: filepath.Base(name), Demo: true, Open: func() ([]byte, error) { return os.ReadFile(name) }})
	}
	report, err := a.Gazette.Import(ctx, inputs, gazette.ImportOptions{Actor: gov.Actor{ID: "test"}})
	if err != nil || report.Works != 3 || report.Failed != 0 || report.Linked.Manual != 0 || report.Linked.Applied != 5 {
		t.Errorf("%+v, %v", report, err)
	}
	code := strings.ToLower(a.Country.Code)
	read := func(address string) *gazette.Reading {
		t.Helper()
		iri, err := akn.ParseIRI("/akn/" + code + "/act/" + address)
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Gazette.Read(ctx, iri, []model.Lang{"eng"})
		if err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		return r
	}
	words := func(r *gazette.Reading) string {
		var out []string
		for _, p := range r.Expression.Pieces {
			if p.IsArticle() {
				out = append(out, p.Label+" "+p.Text)
			}
		}
		return strings.Join(out, "|")
	}
	const first, second = "1 Each harbour keeps a roll of its lighthouses.|2 The keeper answers every sailor within twelve days.|3 The harbour council watches over clause 2 of this Act.|4 Lamp money is paid at the quay.",
		"1 Each harbour keeps a roll of its lighthouses.|2 The keeper answers every sailor within six days.|3 The council of lights watches over clause 2 of this Act.|3a Whoever dims a light relights it.|4 "
	for address, want := range map[string]string{"law/2026/12-2026/eng:2026-06-30": first, "law/2026/12-2026/eng:2026-07-01": second, "law/2026/12-2026": second} {
		if got := words(read(address)); got != want {
			t.Errorf("%s reads\n%s\nwant\n%s", address, got, want)
		}
	}
	if s := read("law/2026/12-2026").Work.Status; s.State != model.Amended || s.Since != "2026-07-01" {
		t.Errorf("the act is %+v", s)
	}
	if s := read("bylaw/2026/30-2026").Work.Status; s.State != model.Repealed || s.Since != "2026-07-01" {
		t.Errorf("the by-law is %+v", s)
	}
	citing, n, err := a.Gazette.CitedBy(ctx, "/akn/"+code+"/act/law/2026/12-2026", "", 10, 0)
	if err != nil || n != 2 {
		t.Errorf("%d works cite the act: %+v, %v", n, citing, err)
	}
}
