package gazette

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gazette/amend"
	"diwan/internal/gazette/cite"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

type clockAt struct{ t time.Time }

func (c clockAt) Now() time.Time { return c.t }

var sets = []db.Migrations{audit.Migrations(), Migrations()}

// open returns a gazette on a fresh database, with the built-in country's
// grammar, on 22 November 2026.
func open(t testing.TB, d *db.DB) *Gazette {
	t.Helper()
	read := func(name string, into any) {
		b, err := os.ReadFile(filepath.Join("..", "..", "country", "ma", name))
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var gc grammar.Config
	words := cite.Config{}
	read("gazette.json", &gc)
	read("gazette-citations.json", &words)
	g, err := grammar.New(gc)
	if err != nil {
		t.Fatal(err)
	}
	finder, err := cite.New(g, words)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := amend.NewReader(g, finder, words)
	if err != nil {
		t.Fatal(err)
	}
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &gov.Country{Code: "XL", TimeZone: "UTC", Name: gov.Text{"fr": "Xl"}, Portal: gov.Text{"fr": "Portail"},
		Languages: []gov.Language{{Code: "ar", Dir: "rtl"}, {Code: "fr", Dir: "ltr"}}}
	if err := c.Init(); err != nil {
		t.Fatal(err)
	}
	clock := clockAt{time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	return New(d, audit.New(d, clock), clock, c, g, Analysts{finder, reader}, files, slog.New(slog.DiscardHandler))
}

// text is an input with these words.
func text(name, body string) Input {
	return Input{Name: name, Open: func() ([]byte, error) { return []byte(body), nil }}
}

const fountains = `Dahir n° 1-26-901 du 20 rabii I 1448 (3 septembre 2026) portant promulgation de la loi n° 90-26 relative aux fontaines publiques

LOUANGE A DIEU SEUL !

Que l'on sache par les présentes que Notre Majesté Chérifienne,
Vu la Constitution, notamment ses articles 42 et 50,

A DÉCIDÉ CE QUI SUIT :

Est promulguée et sera publiée au Bulletin officiel, à la suite du présent dahir, la loi n° 90-26 relative aux fontaines publiques, telle qu'adoptée par la Chambre des représentants et la Chambre des conseillers.

Fait à Rabat, le 20 rabii I 1448 (3 septembre 2026).

Loi n° 90-26 relative aux fontaines publiques

Article premier
La présente loi fixe les règles relatives aux fontaines publiques.

Article 2
Chaque commune tient la liste de ses fontaines.
La liste est publique.

Article 3
La commune répond à toute demande dans un délai de quinze jours.

Article 4
L'autorité locale veille à l'application de l'article 3 ci-dessus.
`

const amending = `Loi n° 91-26 du 23 rabii II 1448 (5 octobre 2026) modifiant et complétant la loi n° 90-26 relative aux fontaines publiques

Article premier
Les dispositions de l'article 3 de la loi n° 90-26 précitée sont modifiées comme suit :
« Article 3. – La commune répond à toute demande dans un délai de dix jours. »

Article 2
La loi n° 90-26 précitée est complétée par l'article 3 bis suivant :
« Article 3 bis. – La fontaine en panne est réparée dans un délai de cinq jours. »

Article 3
À l'article 4 de la loi n° 90-26 précitée, les mots « L'autorité locale » sont remplacés par les mots « Le président de la commune ».
`

const decree = `Décret n° 2-26-902 du 4 rabii II 1448 (16 septembre 2026) pris pour l'application de la loi n° 90-26 relative aux fontaines publiques

LE CHEF DU GOUVERNEMENT,

Vu la loi n° 90-26 relative aux fontaines publiques,

DÉCRÈTE :

Article premier
La liste prévue à l'article 2 de la loi n° 90-26 précitée est mise à jour chaque année.

Article 2
Le présent décret est publié au Bulletin officiel.
`

const repealing = `Décret n° 2-26-950 du 1er joumada II 1448 (12 novembre 2026) relatif aux listes communales

LE CHEF DU GOUVERNEMENT,

DÉCRÈTE :

Article premier
La liste est mise à jour chaque mois.

Article 2
Est abrogé le décret n° 2-26-902 du 4 rabii II 1448 (16 septembre 2026).
`

func run(t testing.TB, g *Gazette, inputs ...Input) ImportReport {
	t.Helper()
	r, err := g.Import(t.Context(), inputs, ImportOptions{Actor: gov.Actor{ID: "tester"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reading(t testing.TB, g *Gazette, address string) *Reading {
	t.Helper()
	iri, err := akn.ParseIRI(address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := g.Read(t.Context(), iri, []model.Lang{"fra"})
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return r
}

func articleText(t testing.TB, r *Reading, label string) string {
	t.Helper()
	for _, p := range r.Expression.Pieces {
		if p.IsArticle() && p.Label == label {
			return p.Text
		}
	}
	return "(none)"
}

func TestAmendedLaw(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		r := run(t, g, text("1.txt", fountains), text("2.txt", amending), text("3.txt", decree), text("4.txt", repealing))
		if r.Read != 4 || r.Failed != 0 || r.Works != 5 {
			t.Fatalf("%+v", r)
		}
		const law = "/akn/xl/act/loi/2026/90-26"
		now := reading(t, g, law)
		if got := articleText(t, now, "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3 now: %q", got)
		}
		if got := articleText(t, now, "3bis"); !strings.Contains(got, "cinq jours") {
			t.Errorf("article 3 bis now: %q", got)
		}
		if got := articleText(t, now, "4"); !strings.HasPrefix(got, "Le président de la commune") {
			t.Errorf("article 4 now: %q", got)
		}
		if s := now.Work.Status; s.State != model.Amended || s.Since != "2026-10-05" || s.By != "/akn/xl/act/loi/2026/91-26" || len(s.Reasons) == 0 {
			t.Errorf("status %+v", s)
		}
		then := reading(t, g, law+"/fra:2026-09-20")
		if got := articleText(t, then, "3"); !strings.Contains(got, "quinze jours") {
			t.Errorf("article 3 in September: %q", got)
		}
		if got := articleText(t, then, "3bis"); got != "(none)" {
			t.Errorf("article 3 bis in September: %q", got)
		}
		if then.Expression.Until != "2026-10-05" {
			t.Errorf("the September version ends on %q", then.Expression.Until)
		}
		if m := now.Timeline; len(m) != 2 || !m[1].Shown || m[1].By[0] != "/akn/xl/act/loi/2026/91-26" {
			t.Errorf("timeline %+v", m)
		}
		dec := reading(t, g, "/akn/xl/act/decret/2026/2-26-902")
		if s := dec.Work.Status; s.State != model.Repealed || s.By != "/akn/xl/act/decret/2026/2-26-950" || s.Since != "2026-11-12" {
			t.Errorf("the repealed decree: %+v", s)
		}
		dahir := reading(t, g, "/akn/xl/act/dahir/2026/1-26-901")
		if !slices.Equal(dahir.Attached, []string{law}) {
			t.Errorf("the dahir publishes %v", dahir.Attached)
		}
		if unknown := reading(t, g, "/akn/xl/act/decret/2026/2-26-950"); unknown.Work.Status.State != model.Unknown {
			t.Errorf("nothing shows that the last decree is in force, and it is %q", unknown.Work.Status.State)
		}
		citing, n, err := g.CitedBy(t.Context(), law, "", 10, 0)
		if err != nil || n != 3 {
			t.Errorf("%d texts cite the law: %+v, %v", n, citing, err)
		}
	})
}

// Reading the same files again, in any order and over again, changes nothing.
func TestImportTwice(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		inputs := []Input{text("2.txt", amending), text("1.txt", fountains)}
		run(t, g, inputs...)
		first := snapshot(t, g)
		if r := run(t, g, inputs...); r.Known != 2 || r.Texts != 0 {
			t.Errorf("the second run: %+v", r)
		}
		if _, err := g.Relink(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := snapshot(t, g); again != first {
			t.Errorf("linking again changed something:\n%s\n%s", first, again)
		}
		if _, err := g.Import(t.Context(), inputs, ImportOptions{Again: true}); err != nil {
			t.Fatal(err)
		}
		if again := snapshot(t, g); again != first {
			t.Errorf("reading again changed something:\n%s\n%s", first, again)
		}
	})
}

// snapshot is everything that readers see, as one text.
func snapshot(t testing.TB, g *Gazette) string {
	t.Helper()
	works, _, err := g.List(t.Context(), Filter{}, 1000, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, w := range works {
		r := reading(t, g, w.ID)
		r.Expression.ID, r.Expression.Source = "", ""
		json.NewEncoder(&b).Encode([]any{w, r.Expression, r.Warnings})
	}
	return b.String()
}

func TestSameNumberTwoTexts(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		other := `Décret n° 2-26-902 du 30 septembre 2026 fixant les tarifs du port de pêche

LE CHEF DU GOUVERNEMENT,

DÉCRÈTE :

Article premier
Chaque navire acquitte une redevance d'amarrage selon sa longueur et son tonnage.

Article 2
La capitainerie encaisse les sommes dues avant tout appareillage.
`
		r := run(t, g, text("a.txt", decree), text("b.txt", other), text("c.txt", decree+"\n\n"))
		if r.Works != 2 || r.Duplicates != 1 || !slices.ContainsFunc(r.Notices, func(n Notice) bool { return n.Code == "number_taken" }) {
			t.Errorf("%+v", r)
		}
		reading(t, g, "/akn/xl/act/decret/2026/2-26-902")
		reading(t, g, "/akn/xl/act/decret/2026/2-26-902_2")
		// A third text of that number, whose own date nobody printed.
		r = run(t, g, text("d.txt", "Décret n° 2-26-902 relatif aux horaires\n\nDÉCRÈTE :\n\nArticle premier\nLes bibliothèques ouvrent chaque matin jusqu'au crépuscule.\n"))
		if r.Texts != 1 || r.Works != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// A file that can't be read says why and takes nothing else with it.
func TestBadFiles(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		unreadable := Input{Name: "gone.txt", Open: func() ([]byte, error) { return nil, errors.New("the disk is gone") }}
		r := run(t, g, text("empty.txt", ""), text("binary.pdf", "%PDF-1.7\x00\x01\x02 cut short"), unreadable, text("zip.docx", "PK\x03\x04nothing"), text("good.txt", decree),
			text("bad.xml", "<akomaNtoso xmlns=\"http://docs.oasis-open.org/legaldocml/ns/akn/3.0\"><act></akomaNtoso>"))
		if r.Read != 1 || r.Failed != 5 {
			t.Errorf("%+v", r)
		}
		for _, n := range r.Notices {
			if n.Code == "" || n.Detail == "" {
				t.Errorf("%+v says too little", n)
			}
		}
		reading(t, g, "/akn/xl/act/decret/2026/2-26-902")
	})
}

// An amendment of a text that comes later is applied when it comes; texts that
// amend each other end.
func TestLateAndCyclic(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		r := run(t, g, text("2.txt", amending))
		if r.Linked.Absent == 0 {
			t.Errorf("nothing says that the amended law is not held: %+v", r.Linked)
		}
		back := `Loi n° 90-26 du 20 rabii I 1448 (3 septembre 2026) modifiant la loi n° 91-26 relative aux fontaines

Article premier
Les dispositions de l'article premier de la loi n° 91-26 précitée sont modifiées comme suit :
« Article premier. – Rien. »

Article 2
Vrai.

Article 3
La commune répond à toute demande dans un délai de quinze jours.
`
		run(t, g, text("1.txt", back))
		now := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		if got := articleText(t, now, "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3: %q", got)
		}
	})
}

func TestSuspectDigits(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		in := text("s.txt", decree)
		in.Flags = []string{FlagSuspect}
		run(t, g, in, text("1.txt", fountains))
		works, _, err := g.List(t.Context(), Filter{}, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, w := range works {
			if w.Suspect {
				found = true
				if w.Number != "" || w.Signed != "" || strings.Contains(w.ID, "2-26-902") {
					t.Errorf("a suspect number is used: %+v", w)
				}
			}
		}
		if !found {
			t.Error("no work is suspect")
		}
		if _, n, _ := g.CitedBy(t.Context(), "/akn/xl/act/loi/2026/90-26", "", 10, 0); n != 1 {
			t.Errorf("%d texts cite the law; a suspect text proves nothing", n)
		}
	})
}

func TestAddresses(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		run(t, g, text("1.txt", fountains))
		iri, _ := akn.ParseIRI("/akn/xl/act/loi/2025/90-26/fra/~art_3")
		_, err := g.Read(t.Context(), iri, nil)
		if moved, ok := errors.AsType[*Moved](err); !ok || moved.To != "/akn/xl/act/loi/2026/90-26/fra/~art_3" {
			t.Errorf("another year: %v", err)
		}
		for _, s := range []string{"/akn/xl/act/loi/2026/1-26", "/akn/xl/act/loi/2026/90-26/ara", "/akn/xl/act/loi/2026/90-26/fra:2020-01-01"} {
			iri, err := akn.ParseIRI(s)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.Read(t.Context(), iri, nil); !problem.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", s, err)
			}
		}
		w, err := g.ByShort(t.Context(), Short("/akn/xl/act/loi/2026/90-26"))
		if err != nil || w.ID != "/akn/xl/act/loi/2026/90-26" {
			t.Errorf("short link: %v, %v", w, err)
		}
	})
}

// What is exported can be imported into an empty gazette and reads the same.
func TestRoundTrip(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		run(t, g, text("1.txt", fountains), text("3.txt", decree))
		var inputs []Input
		for _, address := range []string{"/akn/xl/act/dahir/2026/1-26-901", "/akn/xl/act/decret/2026/2-26-902"} {
			doc, err := g.Document(t.Context(), reading(t, g, address))
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := akn.Write(&b, doc.Document()); err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, text(address+".xml", b.String()))
		}
		other := open(t, dbtest.SQLite(t, sets))
		if r := run(t, other, inputs...); r.Failed != 0 || r.Works != 3 {
			t.Fatalf("%+v", r)
		}
		const law = "/akn/xl/act/loi/2026/90-26"
		for _, label := range []string{"1", "2", "3", "4"} {
			a, b := articleText(t, reading(t, g, law), label), articleText(t, reading(t, other, law), label)
			if a != b {
				t.Errorf("article %s: %q became %q", label, a, b)
			}
		}
	})
}

// A break in the middle loses nothing: what was kept stays, the rest is read by
// the next run.
func TestBreak(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		ctx, stop := context.WithCancel(t.Context())
		broken := Input{Name: "2.txt", Open: func() ([]byte, error) { stop(); return []byte(amending), nil }}
		if _, err := g.Import(ctx, []Input{text("1.txt", fountains), broken}, ImportOptions{Workers: 1}); err == nil {
			t.Fatal("a break was not told")
		}
		r := run(t, g, text("1.txt", fountains), text("2.txt", amending))
		if r.Read+r.Known != 2 || r.Failed != 0 {
			t.Errorf("%+v", r)
		}
		if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/90-26"), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3: %q", got)
		}
	})
}
