package catalogue

import (
	"context"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"strconv"

	"diwan/internal/catalogue/cpsv"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
)

// ImportCPSV imports a catalogue in the European vocabulary for public services;
// format is "jsonld" or "ttl". Procedures become drafts. Administrations, online
// services, themes and life events have no drafts: they change at once, and only
// a steward may change them.
func (c *Catalogue) ImportCPSV(ctx context.Context, actor gov.Actor, name string, r io.Reader, format string) (Report, error) {
	if err := mayImport(actor); err != nil {
		return Report{}, err
	}
	f := &file{name: clip(name)}
	content, err := cpsv.Import(r, format)
	if err != nil {
		return f.outcome(Report{}, f.prefixed(err))
	}
	if len(content.Procedures) > maxImportRows {
		f.fault(f.name, "import.rows", "limit", strconv.Itoa(maxImportRows))
		return f.outcome(Report{}, f.refused())
	}
	m := c.importer(actor, f)
	items, err := m.items(content)
	if err != nil {
		return Report{}, err
	}
	if err := f.refused(); err != nil {
		return f.outcome(Report{}, err)
	}
	var all []incoming
	for _, p := range content.Procedures {
		at := f.name + ", " + content.Places["procedure/"+p.ID]
		all = append(all, incoming{id: p.ID, at: at, where: func(string) string { return at },
			build: func(*model.Procedure) *model.Procedure { return p }})
	}
	if len(items) == 0 {
		return m.run(ctx, all, nil)
	}
	return m.run(ctx, all, func(tx *db.Tx) (bool, error) { return m.put(ctx, tx, items) })
}

// placed is an item with its place in the file.
type placed struct {
	item
	at string
}

// items checks the things that are kept whole and returns them.
func (m *importer) items(content *cpsv.Content) ([]placed, error) {
	administrations, themes := map[string]bool{}, map[string]bool{}
	for _, a := range content.Administrations {
		administrations[a.ID] = true
	}
	for _, t := range content.Themes {
		themes[t.ID] = true
	}
	m.check.also(administrations, themes)
	var out []placed
	add := func(kind, class, id string, v any) error {
		at := m.file.name + ", " + content.Places[class+"/"+id]
		if !procedureID.MatchString(id) {
			m.file.fault(at, "procedure.id", "id", clip(id))
		}
		in := incoming{where: func(string) string { return at }}
		m.check.walk(m.file, in, reflect.ValueOf(v).Elem(), "")
		b, err := json.Marshal(v)
		out = append(out, placed{item{kind, id, string(b), originImport}, at})
		return err
	}
	fault := func(class, id, code, value string) {
		m.file.fault(m.file.name+", "+content.Places[class+"/"+id], code, "id", clip(value))
	}
	for _, a := range content.Administrations {
		if _, ok := m.country.Kinds[a.Kind]; a.Kind != "" && !ok {
			fault("administration", a.ID, "kind.unknown", a.Kind)
		}
		if _, ok := m.country.Region(a.Region); a.Region != "" && !ok {
			fault("administration", a.ID, "region.unknown", a.Region)
		}
		if a.Parent != "" && !m.check.rules.Administration(a.Parent) {
			fault("administration", a.ID, "administration.unknown", a.Parent)
		}
		if err := add(kindAdministration, "administration", a.ID, a); err != nil {
			return nil, err
		}
	}
	for _, s := range content.Services {
		if !m.check.rules.Administration(s.Administration) {
			fault("service", s.ID, "administration.unknown", s.Administration)
		}
		if err := add(kindService, "service", s.ID, s); err != nil {
			return nil, err
		}
	}
	for _, t := range content.Themes {
		if err := add(kindTheme, "theme", t.ID, t); err != nil {
			return nil, err
		}
	}
	for _, ev := range content.LifeEvents {
		if err := add(kindLifeEvent, "event", ev.ID, ev); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// put writes the items that differ, which only stewards may.
func (m *importer) put(ctx context.Context, tx *db.Tx, items []placed) (changed bool, err error) {
	now := m.clock.Now()
	var subjects []string
	for _, it := range items {
		did, err := m.store.putItem(ctx, tx, it.item, now)
		if err != nil {
			return false, err
		}
		if !did {
			m.out.Same++
			continue
		}
		if !m.actor.Has(gov.RoleSteward) {
			m.file.fault(it.at, "import.steward", "id", it.id)
			continue
		}
		m.out.Changed++
		changed = true
		subjects = append(subjects, it.kind+" "+it.id)
	}
	slices.Sort(subjects)
	for _, s := range subjects {
		if err := m.audit.Append(ctx, tx, chain, m.actor, "item.import", s, map[string]string{"note": m.file.name}); err != nil {
			return false, err
		}
	}
	return changed, nil
}
