package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Decode reads one file of a country pack strictly.
type Decode func(files fs.FS, name string, into any) error

// Starter is the catalogue that a country pack brings along.
type Starter struct {
	Administrations []*model.Administration
	Services        []*model.OnlineService
	Themes          []*model.Theme
	LifeEvents      []*model.LifeEvent
	Described       []*model.Procedure // with all seven facts
	Listed          []*model.Procedure // known from an official list
}

// ReadStarter reads the starter catalogue of a pack: administrations*.json
// beside and inside the folder catalogue, and in it services.json, themes.json, life-events.json, procedures/*.json and
// listed/*.json. Files that are absent are empty.
func ReadStarter(files fs.FS, decode Decode) (*Starter, error) {
	var s Starter
	steps := []func() error{
		func() error { return readAll(files, decode, "administrations*.json", &s.Administrations) },
		func() error { return readAll(files, decode, "catalogue/administrations*.json", &s.Administrations) },
		func() error { return readAll(files, decode, "catalogue/services.json", &s.Services) },
		func() error { return readAll(files, decode, "catalogue/themes.json", &s.Themes) },
		func() error { return readAll(files, decode, "catalogue/life-events.json", &s.LifeEvents) },
		func() error { return readAll(files, decode, "catalogue/procedures/*.json", &s.Described) },
		func() error { return readAll(files, decode, "catalogue/listed/*.json", &s.Listed) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &s, nil
}

func readAll[T any](files fs.FS, decode Decode, pattern string, into *[]*T) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, n := range names {
		var part []*T
		if err := decode(files, n, &part); err != nil {
			return err
		}
		*into = append(*into, part...)
	}
	return nil
}

// Check returns what is wrong with the starter: ids that are malformed, double
// or point nowhere, and described procedures that could not be published.
func (s *Starter) Check(country *gov.Country) []problem.Field {
	var out []problem.Field
	admins := map[string]bool{}
	for _, a := range s.Administrations {
		if admins[a.ID] || !procedureID.MatchString(a.ID) {
			out = append(out, problem.At("administration "+a.ID, "id.double"))
		}
		admins[a.ID] = true
	}
	for _, a := range s.Administrations {
		if a.Parent != "" && !admins[a.Parent] {
			out = append(out, problem.At("administration "+a.ID, "administration.unknown", "id", a.Parent))
		}
		if _, ok := country.Kinds[a.Kind]; !ok {
			out = append(out, problem.At("administration "+a.ID, "kind.unknown", "id", a.Kind))
		}
		if _, ok := country.Region(a.Region); a.Region != "" && !ok {
			out = append(out, problem.At("administration "+a.ID, "region.unknown", "id", a.Region))
		}
	}
	ids := map[string]bool{}
	rules := model.Rules{Country: country, Administration: func(id string) bool { return admins[id] }}
	for _, p := range slices.Concat(s.Described, s.Listed) {
		if ids[p.ID] || !procedureID.MatchString(p.ID) {
			out = append(out, problem.At("procedure "+p.ID, "id.double"))
		}
		ids[p.ID] = true
		if !admins[p.Competent] {
			out = append(out, problem.At("procedure "+p.ID, "administration.unknown", "id", p.Competent))
		}
	}
	for _, p := range s.Described {
		for _, f := range p.Blocking(rules) {
			f.Path = "procedure " + p.ID + ": " + f.Path
			out = append(out, f)
		}
	}
	return append(out, s.checkLinks(ids)...)
}

func (s *Starter) checkLinks(ids map[string]bool) (out []problem.Field) {
	need := func(path, id string) {
		if id != "" && !ids[id] {
			out = append(out, problem.At(path, "procedure.unknown", "id", id))
		}
	}
	themes := map[string]bool{}
	for _, t := range s.Themes {
		themes[t.ID] = true
	}
	for _, p := range slices.Concat(s.Described, s.Listed) {
		for _, t := range p.Themes {
			if !themes[t] {
				out = append(out, problem.At("procedure "+p.ID, "theme.unknown", "id", t))
			}
		}
		for _, r := range p.Related {
			need("procedure "+p.ID+": related", r)
		}
		for _, e := range p.Evidence {
			need("procedure "+p.ID+": evidence "+e.ID, e.Produced)
		}
	}
	for _, sv := range s.Services {
		for _, id := range sv.Procedures {
			need("service "+sv.ID, id)
		}
	}
	for _, ev := range s.LifeEvents {
		for _, id := range eventProcedures(ev) {
			need("life event "+ev.ID, id)
		}
		for _, q := range ev.Questions {
			for _, a := range q.Answers {
				for _, id := range a.Procedures {
					need("life event "+ev.ID+", question "+q.ID, id)
				}
			}
		}
	}
	return out
}

// starterPatterns are the files of a starter.
var starterPatterns = []string{"administrations*.json", "catalogue/*.json", "catalogue/procedures/*.json", "catalogue/listed/*.json"}

// StarterDigest returns the hash of a pack's starter files, without reading
// them as a catalogue: a start with nothing new must not cost more than that.
func StarterDigest(files fs.FS) (string, error) {
	h := sha256.New()
	for _, pattern := range starterPatterns {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return "", err
		}
		for _, n := range names {
			b, err := fs.ReadFile(files, n)
			if err != nil {
				return "", fmt.Errorf("reading the starter catalogue: %w", err)
			}
			fmt.Fprintf(h, "%s %d\n", n, len(b))
			h.Write(b)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// HasStarter reports whether the starter with this digest was loaded last.
func (c *Catalogue) HasStarter(ctx context.Context, digest string) (bool, error) {
	has := false
	err := c.store.items(ctx, kindStarter, func(body []byte) error {
		has = string(body) == digest
		return nil
	})
	return has, err
}

// LoadStarter brings the starter with this digest into the database. It never
// touches what an editor wrote. It reports how many things changed.
func (c *Catalogue) LoadStarter(ctx context.Context, s *Starter, digest string) (changed int, err error) {
	mark := item{kindStarter, "digest", digest, originStarter}
	now := c.clock.Now()
	err = c.store.db.RunTx(ctx, func(tx *db.Tx) error {
		changed = 0
		if _, err := c.store.putItem(ctx, tx, mark, now); err != nil {
			return err
		}
		items, err := s.items()
		if err != nil {
			return err
		}
		for _, it := range items {
			did, err := c.store.putItem(ctx, tx, it, now)
			if err != nil {
				return err
			}
			changed += count(did)
		}
		for _, p := range s.Described {
			did, err := c.offer(ctx, tx, gov.Actor{}, p, model.Published, originStarter, now)
			if err != nil {
				return err
			}
			changed += count(did)
		}
		for _, p := range s.Listed {
			did, err := c.offer(ctx, tx, gov.Actor{}, p, model.Listed, originStarter, now)
			if err != nil {
				return err
			}
			changed += count(did)
		}
		if changed == 0 {
			return nil
		}
		if err := c.audit.Append(ctx, tx, chain, gov.Actor{}, "starter.load", "starter", map[string]string{"changed": fmt.Sprint(changed), "sha256": mark.body}); err != nil {
			return err
		}
		return c.store.bump(ctx, tx)
	})
	return changed, err
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *Starter) items() ([]item, error) {
	var out []item
	add := func(kind, id string, v any) error {
		b, err := json.Marshal(v)
		out = append(out, item{kind, id, string(b), originStarter})
		return err
	}
	for _, v := range s.Administrations {
		if err := add(kindAdministration, v.ID, v); err != nil {
			return nil, err
		}
	}
	for _, v := range s.Services {
		if err := add(kindService, v.ID, v); err != nil {
			return nil, err
		}
	}
	for _, v := range s.Themes {
		if err := add(kindTheme, v.ID, v); err != nil {
			return nil, err
		}
	}
	for _, v := range s.LifeEvents {
		if err := add(kindLifeEvent, v.ID, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// offer adds a version that comes from a starter or an import, unless an editor
// has taken the procedure over or nothing changed.
func (c *Catalogue) offer(ctx context.Context, tx *db.Tx, actor gov.Actor, p *model.Procedure, state model.State, origin string, now time.Time) (bool, error) {
	h, err := c.store.head(ctx, tx, p.ID)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return false, err
	}
	if h.latest > 0 {
		last, err := c.store.version(ctx, tx, p.ID, h.latest)
		if err != nil {
			return false, err
		}
		if last.Origin == originEditor || last.State == model.Withdrawn || sameBody(last.Procedure, p) {
			return false, nil
		}
	}
	v := &Version{Number: h.latest + 1, State: state, Procedure: p, Author: actor.ID, Origin: origin, Created: now, Changed: now}
	return true, c.store.insertVersion(ctx, tx, v, v.Number)
}
