package catalogue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// Snapshot is everything the public sees, at one revision. It is immutable:
// readers share it without locks and never see half of a change.
type Snapshot struct {
	Revision int64

	Procedures      []*Entry // in the order of ids
	Administrations []*model.Administration
	Services        []*model.OnlineService
	Themes          []*model.Theme
	LifeEvents      []*model.LifeEvent

	procedures      map[string]*Entry
	administrations map[string]*model.Administration
	themes          map[string]*model.Theme
	lifeEvents      map[string]*model.LifeEvent
	byAdmin         map[string][]*Entry
	byTheme         map[string][]*Entry
	servicesFor     map[string][]*model.OnlineService
	eventsFor       map[string][]*model.LifeEvent
	children        map[string][]*model.Administration
	popular         []*Entry
}

// Entry is a procedure as the public sees it.
type Entry struct {
	*model.Procedure
	Version int64
	State   model.State
	Changed time.Time
	// Missing are the facts its administration has not published.
	Missing []string
}

// Listed reports whether only an official list speaks of the procedure.
func (e *Entry) OnlyListed() bool { return e.State == model.Listed }

// IsUnverified reports whether nobody has checked a field against a source.
func (e *Entry) IsUnverified(field string) bool { return slices.Contains(e.Unverified, field) }

// load reads the snapshot of the present revision.
func load(ctx context.Context, s store) (*Snapshot, error) {
	rev, err := s.revision(ctx, s.db.Reader())
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue's revision: %w", err)
	}
	snap := &Snapshot{Revision: rev}
	err = s.shown(ctx, func(v *Version) error {
		snap.Procedures = append(snap.Procedures, &Entry{
			Procedure: v.Procedure, Version: v.Number, State: v.State, Changed: v.Changed, Missing: v.Procedure.Missing(),
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if snap.Administrations, err = decodeItems[model.Administration](ctx, s, kindAdministration); err != nil {
		return nil, err
	}
	if snap.Services, err = decodeItems[model.OnlineService](ctx, s, kindService); err != nil {
		return nil, err
	}
	if snap.Themes, err = decodeItems[model.Theme](ctx, s, kindTheme); err != nil {
		return nil, err
	}
	if snap.LifeEvents, err = decodeItems[model.LifeEvent](ctx, s, kindLifeEvent); err != nil {
		return nil, err
	}
	snap.index()
	return snap, nil
}

func decodeItems[T any](ctx context.Context, s store, kind string) ([]*T, error) {
	var out []*T
	err := s.items(ctx, kind, func(body []byte) error {
		v := new(T)
		if err := json.Unmarshal(body, v); err != nil {
			return fmt.Errorf("an item %s is damaged: %w", kind, err)
		}
		out = append(out, v)
		return nil
	})
	return out, err
}

// index builds the look-ups. It runs once, before anyone else sees the snapshot.
func (s *Snapshot) index() {
	s.procedures = map[string]*Entry{}
	s.administrations = map[string]*model.Administration{}
	s.themes = map[string]*model.Theme{}
	s.lifeEvents = map[string]*model.LifeEvent{}
	s.byAdmin, s.byTheme = map[string][]*Entry{}, map[string][]*Entry{}
	s.servicesFor, s.eventsFor = map[string][]*model.OnlineService{}, map[string][]*model.LifeEvent{}
	s.children = map[string][]*model.Administration{}
	for _, e := range s.Procedures {
		s.procedures[e.ID] = e
		s.byAdmin[e.Competent] = append(s.byAdmin[e.Competent], e)
		for _, t := range e.Themes {
			s.byTheme[t] = append(s.byTheme[t], e)
		}
		if e.Popular > 0 {
			s.popular = append(s.popular, e)
		}
	}
	slices.SortStableFunc(s.popular, func(a, b *Entry) int { return cmp.Compare(a.Popular, b.Popular) })
	for _, a := range s.Administrations {
		s.administrations[a.ID] = a
		s.children[a.Parent] = append(s.children[a.Parent], a)
	}
	for _, t := range s.Themes {
		s.themes[t.ID] = t
	}
	for _, sv := range s.Services {
		for _, id := range sv.Procedures {
			s.servicesFor[id] = append(s.servicesFor[id], sv)
		}
	}
	for _, ev := range s.LifeEvents {
		s.lifeEvents[ev.ID] = ev
		for _, id := range eventProcedures(ev) {
			s.eventsFor[id] = append(s.eventsFor[id], ev)
		}
	}
}

// eventProcedures returns the procedures of all stages, each once.
func eventProcedures(ev *model.LifeEvent) []string {
	var ids []string
	for _, st := range ev.Stages {
		for _, id := range st.Procedures {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Procedure returns a procedure by its id, or nil.
func (s *Snapshot) Procedure(id string) *Entry { return s.procedures[id] }

// Administration returns an administration by its id, or nil.
func (s *Snapshot) Administration(id string) *model.Administration { return s.administrations[id] }

// AdministrationName returns the name of an administration, or its id when the
// catalogue does not know it.
func (s *Snapshot) AdministrationName(id string) gov.Text {
	if a := s.administrations[id]; a != nil {
		return a.Name
	}
	return gov.Text{"": id}
}

// Theme returns a theme by its id, or nil.
func (s *Snapshot) Theme(id string) *model.Theme { return s.themes[id] }

// LifeEvent returns a life event by its id, or nil.
func (s *Snapshot) LifeEvent(id string) *model.LifeEvent { return s.lifeEvents[id] }

// Popular returns the most used procedures, the first first.
func (s *Snapshot) Popular() []*Entry { return s.popular }

// Of returns the procedures an administration answers for.
func (s *Snapshot) Of(administration string) []*Entry { return s.byAdmin[administration] }

// InTheme returns the procedures of a theme.
func (s *Snapshot) InTheme(theme string) []*Entry { return s.byTheme[theme] }

// ServicesFor returns the online services through which a procedure is done.
func (s *Snapshot) ServicesFor(procedure string) []*model.OnlineService {
	return s.servicesFor[procedure]
}

// EventsFor returns the life events that bring a procedure with them.
func (s *Snapshot) EventsFor(procedure string) []*model.LifeEvent { return s.eventsFor[procedure] }

// Children returns the administrations under another; "" gives those at the top.
func (s *Snapshot) Children(administration string) []*model.Administration {
	return s.children[administration]
}
