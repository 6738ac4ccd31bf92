package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"diwan/internal/audit"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Catalogue is the slice: every use case is a method of it.
type Catalogue struct {
	store   store
	audit   *audit.Log
	clock   gov.Clock
	country *gov.Country
	log     *slog.Logger

	snap     atomic.Pointer[Snapshot]
	refresh  sync.Mutex
	onChange []func(*Snapshot)
}

// chain names the catalogue's chain in the audit trail.
const chain = "catalogue"

// New returns the catalogue of a database whose tables are up to date. Call
// Refresh before the first reader comes.
func New(d *db.DB, a *audit.Log, clock gov.Clock, country *gov.Country, log *slog.Logger) *Catalogue {
	c := &Catalogue{store: store{d}, audit: a, clock: clock, country: country, log: log}
	c.snap.Store(&Snapshot{Revision: -1})
	c.snap.Load().index()
	return c
}

// Snapshot returns what the public sees now.
func (c *Catalogue) Snapshot() *Snapshot { return c.snap.Load() }

// OnChange adds a function that runs after each new snapshot, before it is
// shown; search builds its index there.
func (c *Catalogue) OnChange(fn func(*Snapshot)) { c.onChange = append(c.onChange, fn) }

// Refresh loads a new snapshot when the revision in the database has moved, also
// by another copy of the program.
func (c *Catalogue) Refresh(ctx context.Context) error {
	c.refresh.Lock()
	defer c.refresh.Unlock()
	rev, err := c.store.revision(ctx, c.store.db.Reader())
	if err != nil {
		return fmt.Errorf("reading the catalogue's revision: %w", err)
	}
	if rev == c.snap.Load().Revision {
		return nil
	}
	s, err := load(ctx, c.store)
	if err != nil {
		return err
	}
	for _, fn := range c.onChange {
		fn(s)
	}
	c.snap.Store(s)
	return nil
}

// Watch refreshes the snapshot every interval until ctx ends.
func (c *Catalogue) Watch(ctx context.Context, interval time.Duration) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := c.Refresh(ctx); err != nil && ctx.Err() == nil {
				c.log.ErrorContext(ctx, "refreshing the catalogue failed; the last snapshot stays", "error", err)
			}
		}
	}
}

// Rules returns what publication is checked against.
func (c *Catalogue) Rules() model.Rules {
	snap := c.Snapshot()
	return model.Rules{Country: c.country, Administration: func(id string) bool { return snap.Administration(id) != nil }}
}

var procedureID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,78}[a-z0-9]$`)

// MayEdit reports whether an actor may prepare procedures of an administration:
// stewards all of them, editors those of their own administration and of the
// bodies under it.
func (c *Catalogue) MayEdit(a gov.Actor, administration string) bool {
	if a.Has(gov.RoleSteward) {
		return true
	}
	return a.Has(gov.RoleEditor) && (a.Administration == "" || c.within(administration, a.Administration))
}

// under returns an administration with all bodies under it, nil for "": all.
func (c *Catalogue) under(administration string) []string {
	if administration == "" {
		return nil
	}
	snap, ids := c.Snapshot(), []string{administration}
	for i := 0; i < len(ids); i++ {
		for _, a := range snap.Children(ids[i]) {
			if !slices.Contains(ids, a.ID) { // a circle of parents must end
				ids = append(ids, a.ID)
			}
		}
	}
	return ids
}

// within reports whether an administration is another one or stands under it.
func (c *Catalogue) within(id, top string) bool {
	snap := c.Snapshot()
	for range 16 { // bounded: a circle of parents must not hang the program
		if id == top {
			return true
		}
		a := snap.Administration(id)
		if a == nil || a.Parent == "" {
			return false
		}
		id = a.Parent
	}
	return false
}

// Latest returns the latest version of a procedure, published or not.
func (c *Catalogue) Latest(ctx context.Context, id string) (*Version, error) {
	h, err := c.store.head(ctx, c.store.db.Reader(), id)
	if err != nil {
		return nil, err
	}
	return c.store.version(ctx, c.store.db.Reader(), id, h.latest)
}

// VersionOf returns one version of a procedure.
func (c *Catalogue) VersionOf(ctx context.Context, id string, n int64) (*Version, error) {
	return c.store.version(ctx, c.store.db.Reader(), id, n)
}

// Versions returns all versions of a procedure, the newest first.
func (c *Catalogue) Versions(ctx context.Context, id string) ([]*Version, error) {
	return c.store.versions(ctx, id)
}

// Rows returns the procedures for the office's list after an id.
func (c *Catalogue) Rows(ctx context.Context, administration string, state model.State, after string, limit int) ([]Row, error) {
	return c.store.rows(ctx, c.under(administration), state, after, limit)
}

// Counts returns how many procedures stand in each state.
func (c *Catalogue) Counts(ctx context.Context, administration string) (map[model.State]int, error) {
	return c.store.counts(ctx, c.under(administration))
}

// History returns who did what with a procedure, the newest first.
func (c *Catalogue) History(ctx context.Context, id string, limit int) ([]audit.Entry, error) {
	return c.audit.History(ctx, chain, id, limit)
}

// Save keeps what an editor wrote. When the latest version is a draft it is
// changed; otherwise a new draft begins, and what is published stays as it was.
// based is the version the editor started from (0 for a new procedure): when
// another has come in between, nothing is overwritten and the error says so.
func (c *Catalogue) Save(ctx context.Context, actor gov.Actor, p *model.Procedure, based int64) (*Version, error) {
	return c.saveOver(ctx, actor, p, func(v *Version) bool {
		if v == nil {
			return based == 0
		}
		return v.Number == based
	})
}

// SaveOver is Save for an editor who had a version open for a while. mark is
// that version's Mark ("" for a new procedure). A draft keeps its number while
// people work on it, so that the number alone would let two editors who have the
// same draft open wipe out each other's words.
func (c *Catalogue) SaveOver(ctx context.Context, actor gov.Actor, p *model.Procedure, mark string) (*Version, error) {
	return c.saveOver(ctx, actor, p, func(v *Version) bool {
		if v == nil {
			return mark == ""
		}
		return v.Mark() == mark
	})
}

// saveOver saves when the latest version, nil when there is none, is still the
// one that the editor saw.
func (c *Catalogue) saveOver(ctx context.Context, actor gov.Actor, p *model.Procedure, seen func(*Version) bool) (*Version, error) {
	if !procedureID.MatchString(p.ID) {
		return nil, problem.New(problem.Invalid, "procedure.id", "id", p.ID)
	}
	if !c.MayEdit(actor, p.Competent) {
		return nil, problem.New(problem.Forbidden, "forbidden")
	}
	var out *Version
	err := c.store.db.RunTx(ctx, func(tx *db.Tx) (err error) {
		out, err = c.save(ctx, tx, actor, p, seen)
		return err
	})
	return out, err
}

func (c *Catalogue) save(ctx context.Context, tx *db.Tx, actor gov.Actor, p *model.Procedure, seen func(*Version) bool) (*Version, error) {
	now := c.clock.Now()
	h, err := c.store.head(ctx, tx, p.ID)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return nil, err
	}
	var last *Version
	if h.latest > 0 {
		if last, err = c.store.version(ctx, tx, p.ID, h.latest); err != nil {
			return nil, err
		}
	}
	if !seen(last) {
		return nil, problem.New(problem.Conflict, "procedure.changed", "id", p.ID)
	}
	v := &Version{Number: h.latest + 1, State: model.Draft, Procedure: p, Author: actor.ID, Origin: originEditor, Created: now, Changed: now}
	if last != nil {
		// Nobody takes a procedure away from an administration by editing it.
		if !c.MayEdit(actor, last.Procedure.Competent) {
			return nil, problem.New(problem.Forbidden, "forbidden")
		}
		if last.State == model.Review {
			return nil, problem.New(problem.Conflict, "procedure.in_review", "id", p.ID)
		}
		if last.State == model.Draft {
			v.Number, v.Created = last.Number, last.Created
			if err := c.store.updateVersion(ctx, tx, v); err != nil {
				return nil, err
			}
			if err := c.store.setHead(ctx, tx, p, h, now); err != nil {
				return nil, err
			}
			return v, c.note(ctx, tx, actor, "procedure.save", v, "")
		}
	}
	if err := c.store.insertVersion(ctx, tx, v, h.shown); err != nil {
		return nil, err
	}
	return v, c.note(ctx, tx, actor, "procedure.draft", v, "")
}

func (c *Catalogue) note(ctx context.Context, tx *db.Tx, actor gov.Actor, action string, v *Version, why string) error {
	d := map[string]string{"version": fmt.Sprint(v.Number), "state": string(v.State)}
	if why != "" {
		d["note"] = why
	}
	return c.audit.Append(ctx, tx, chain, actor, action, v.Procedure.ID, d)
}

// Submit puts a draft before the commission. It is refused, with everything
// that is missing, while it could not be published.
func (c *Catalogue) Submit(ctx context.Context, actor gov.Actor, id string, version int64) error {
	return c.move(ctx, actor, id, version, model.Review, "procedure.submit", "", func(v *Version) error {
		if !c.MayEdit(actor, v.Procedure.Competent) {
			return problem.New(problem.Forbidden, "forbidden")
		}
		return c.blocked(v.Procedure)
	})
}

// blocked returns the error that lists what forbids publication.
func (c *Catalogue) blocked(p *model.Procedure) error {
	if fields := p.Blocking(c.Rules()); len(fields) > 0 {
		e := problem.New(problem.Invalid, "procedure.blocked", "id", p.ID)
		e.Fields = fields
		return e
	}
	return nil
}

// Return sends a version from the commission back to its editor with a reason.
func (c *Catalogue) Return(ctx context.Context, actor gov.Actor, id string, version int64, why string) error {
	return c.move(ctx, actor, id, version, model.Draft, "procedure.return", why, func(*Version) error {
		if !actor.Has(gov.RoleCommission) {
			return problem.New(problem.Forbidden, "forbidden")
		}
		if why == "" {
			return problem.New(problem.Invalid, "procedure.reason")
		}
		return nil
	})
}

// wrote reports whether somebody has put words into a version, also when another
// saved it after them: a colleague's comma does not make one's own text somebody
// else's. The audit trail knows; nothing is saved while a version is in review.
func (c *Catalogue) wrote(ctx context.Context, actor gov.Actor, v *Version) (bool, error) {
	if actor.ID == v.Author {
		return true, nil
	}
	entries, err := c.History(ctx, v.Procedure.ID, maxSaves)
	if err != nil {
		return false, err
	}
	n := fmt.Sprint(v.Number)
	return slices.ContainsFunc(entries, func(e audit.Entry) bool {
		return e.Actor == actor.ID && e.Detail["version"] == n && slices.Contains(writing, e.Action)
	}), nil
}

// writing are the acts by which words come into a version.
var writing = []string{"procedure.draft", "procedure.save", "procedure.import"}

// maxSaves bounds how far back the acts on a procedure are read.
const maxSaves = 10_000

// Publish shows a version to the public in place of the one before. Only the
// commission may, never a person who wrote in the version, and only when the
// seven facts are there and nothing the law forbids is asked.
func (c *Catalogue) Publish(ctx context.Context, actor gov.Actor, id string, version int64) error {
	return c.PublishSeen(ctx, actor, id, version, "")
}

// PublishSeen is Publish for somebody who has read the version whose Mark is
// given: words that were changed since are not published unread.
func (c *Catalogue) PublishSeen(ctx context.Context, actor gov.Actor, id string, version int64, mark string) error {
	return c.move(ctx, actor, id, version, model.Published, "procedure.publish", "", func(v *Version) error {
		if mark != "" && mark != v.Mark() {
			return problem.New(problem.Conflict, "procedure.changed", "id", id)
		}
		if !actor.Has(gov.RoleCommission) {
			return problem.New(problem.Forbidden, "forbidden")
		}
		wrote, err := c.wrote(ctx, actor, v)
		if err != nil {
			return err
		}
		if wrote {
			return problem.New(problem.Forbidden, "procedure.own")
		}
		return c.blocked(v.Procedure)
	})
}

// Withdraw takes a procedure out of the catalogue; its versions stay.
func (c *Catalogue) Withdraw(ctx context.Context, actor gov.Actor, id string, version int64, why string) error {
	return c.move(ctx, actor, id, version, model.Withdrawn, "procedure.withdraw", why, func(v *Version) error {
		if !actor.Has(gov.RoleCommission) && !actor.Has(gov.RoleSteward) && !(v.State == model.Draft && c.MayEdit(actor, v.Procedure.Competent)) {
			return problem.New(problem.Forbidden, "forbidden")
		}
		if why == "" {
			return problem.New(problem.Invalid, "procedure.reason")
		}
		return nil
	})
}

// move changes the state of a version, when allow agrees, and shows the public
// what follows from it.
func (c *Catalogue) move(ctx context.Context, actor gov.Actor, id string, version int64, to model.State, action, why string, allow func(*Version) error) error {
	err := c.store.db.RunTx(ctx, func(tx *db.Tx) error {
		h, err := c.store.head(ctx, tx, id)
		if err != nil {
			return err
		}
		v, err := c.store.version(ctx, tx, id, version)
		if err != nil {
			return err
		}
		if err := allow(v); err != nil {
			return err
		}
		if !v.State.May(to) {
			return problem.New(problem.Conflict, "procedure.state", "id", id, "state", string(v.State))
		}
		before := h.shown
		switch {
		case to == model.Published:
			h.shown = version
		case to == model.Withdrawn && h.shown == version:
			h.shown = 0
		}
		v.State, v.Changed = to, c.clock.Now()
		if err := c.store.updateVersion(ctx, tx, v); err != nil {
			return err
		}
		latest := v
		if h.latest != version {
			// The row names the administration of the latest version: by it
			// editors are shown what is theirs.
			if latest, err = c.store.version(ctx, tx, id, h.latest); err != nil {
				return err
			}
		}
		if err := c.store.setHead(ctx, tx, latest.Procedure, h, v.Changed); err != nil {
			return err
		}
		if h.shown != before || h.shown == version {
			if err := c.store.bump(ctx, tx); err != nil {
				return err
			}
		}
		return c.note(ctx, tx, actor, action, v, why)
	})
	if err != nil {
		return err
	}
	return c.Refresh(ctx)
}

// Recent returns the last acts in the whole catalogue before an entry (0: all),
// the newest first.
func (c *Catalogue) Recent(ctx context.Context, before int64, limit int) ([]audit.Entry, error) {
	return c.audit.Recent(ctx, chain, before, limit)
}
