package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Hook is an address of an administration's program that is told what happens in
// its cases: CloudEvents 1.0, signed, each at least once, those of one case in
// their order. An event says which case and what kind of thing happened, nothing
// of anybody; whoever wants more asks for the case with a token.
type Hook struct {
	ID      string
	Address string
	By      string
	Made    time.Time
	Ended   time.Time
	Waiting int // events that are still to be taken
	Dead    int // events that were given up
}

// Bounds of hooks.
const (
	maxHooks  = 5
	outBatch  = 200
	outTries  = 16
	outFirst  = 30 * time.Second // before the second try; it doubles with each
	outLatest = 6 * time.Hour
)

// ErrHookGone is what a sender returns when the receiver wants no more.
var ErrHookGone = errors.New("the receiver wants no more events")

// MakeHook adds an address. check judges it; the secret signs what is sent, and is
// returned this once.
func (w *Casework) MakeHook(ctx context.Context, by gov.Actor, address, secret string, check func(string) error) error {
	if err := w.mayAPI(ctx, by); err != nil {
		return err
	}
	if by.Unit != "" {
		return problem.New(problem.Forbidden, "forbidden") // events are of the whole administration
	}
	if err := check(address); err != nil || !plain(secret) || len(address) > 500 {
		return problem.Wrap(err, problem.Invalid, "program.hook_address")
	}
	id := gov.NewID()
	sealed, err := w.sealHook(ctx, by.Administration, id, secret)
	if err != nil {
		return err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_hook WHERE administration = $1 AND ended_at = 0`, by.Administration).Scan(&n); err != nil {
			return err
		}
		if n >= maxHooks {
			return problem.New(problem.Invalid, "program.hooks_many", "max", fmt.Sprint(maxHooks))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_hook (id, administration, address, secret, sealed, made_by, made_at, ended_at) VALUES ($1, $2, $3, '', $4, $5, $6, 0)`,
			id, by.Administration, address, sealed, by.ID, db.Micros(w.Clock.Now()))
		return err
	})
	if err != nil {
		return fmt.Errorf("adding an address for events: %w", err)
	}
	w.hooks.Delete(by.Administration)
	return nil
}

// Hooks lists the addresses of the officer's administration that are told.
func (w *Casework) Hooks(ctx context.Context, by gov.Actor) (list []Hook, err error) {
	if err := w.mayAPI(ctx, by); err != nil || by.Unit != "" {
		return nil, err
	}
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT h.id, h.address, h.made_by, h.made_at,
		(SELECT COUNT(*) FROM casework_out o WHERE o.hook = h.id AND NOT o.dead), (SELECT COUNT(*) FROM casework_out o WHERE o.hook = h.id AND o.dead)
		FROM casework_hook h WHERE h.administration = $1 AND h.ended_at = 0 ORDER BY h.made_at, h.id`, by.Administration)
	if err != nil {
		return nil, fmt.Errorf("listing the addresses for events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var h Hook
		var made int64
		if err := rows.Scan(&h.ID, &h.Address, &h.By, &made, &h.Waiting, &h.Dead); err != nil {
			return nil, err
		}
		h.Made = db.Time(made)
		list = append(list, h)
	}
	return list, rows.Err()
}

// EndHook stops telling an address, and forgets what it was still to be told.
func (w *Casework) EndHook(ctx context.Context, by gov.Actor, id string) error {
	if err := w.mayAPI(ctx, by); err != nil {
		return err
	}
	if by.Unit != "" {
		return problem.New(problem.Forbidden, "forbidden")
	}
	return w.endHook(ctx, id, by.Administration)
}

func (w *Casework) endHook(ctx context.Context, id, administration string) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_hook SET ended_at = $3, secret = '', sealed = NULL WHERE id = $1 AND administration = $2 AND ended_at = 0`, id, administration, db.Micros(w.Clock.Now()))
		if err != nil {
			return fmt.Errorf("ending an address for events: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "program.hook_none"))
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM casework_out WHERE hook = $1`, id)
		return err
	})
}

// RetryHook gives events that were given up another try.
func (w *Casework) RetryHook(ctx context.Context, by gov.Actor, id string) error {
	if err := w.mayAPI(ctx, by); err != nil {
		return err
	}
	if by.Unit != "" {
		return problem.New(problem.Forbidden, "forbidden")
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE casework_out SET dead = $3, tries = 0, next_at = $4 WHERE dead AND hook = $1 AND EXISTS (SELECT 1 FROM casework_hook h WHERE h.id = $1 AND h.administration = $2)`,
			id, by.Administration, false, db.Micros(w.Clock.Now()))
		return err
	})
}

// outward writes with an event that the administration's programs are to be told.
func (w *Casework) outward(ctx context.Context, tx *db.Tx, c *Case, e *Event) error {
	told, err := w.told(ctx, tx, c.Administration)
	if err != nil || !told {
		return err
	}
	kind := e.Type
	if e.Type == TimePassed {
		kind += "." + e.Clear.State
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO casework_out (hook, case_id, seq, number, kind, at, next_at, tries, dead)
		SELECT id, $2, $3, $4, $5, $6, $6, 0, $7 FROM casework_hook WHERE administration = $1 AND ended_at = 0`,
		c.Administration, c.ID, e.Seq, c.Number, kind, db.Micros(e.At), false)
	if err != nil {
		return fmt.Errorf("writing what programs are to be told: %w", err)
	}
	return nil
}

// toldFor is how long a copy of the program may not know of an address that was
// added at another: its events begin that much later.
const toldFor = 5 * time.Second

// hooked is whether an administration has addresses that are told, as of a moment.
type hooked struct {
	told bool
	at   time.Time
}

// told tells whether anybody is to be told what happens at an administration. Few
// are, and every event of every case asks.
func (w *Casework) told(ctx context.Context, tx *db.Tx, administration string) (bool, error) {
	now := w.Clock.Now()
	if v, ok := w.hooks.Load(administration); ok {
		if h := v.(hooked); now.Sub(h.at).Abs() < toldFor {
			return h.told, nil
		}
	}
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_hook WHERE administration = $1 AND ended_at = 0`, administration).Scan(&n); err != nil {
		return false, fmt.Errorf("reading who is told: %w", err)
	}
	w.hooks.Store(administration, hooked{n > 0, now})
	return n > 0, nil
}

// outEvent is an event on its way to an address.
type outEvent struct {
	hook, administration, address, secret, caseID, number, kind string
	seq, tries                                                  int64
	at                                                          time.Time
}

// id is the same each time an event is sent: who got it twice knows it by that.
func (o *outEvent) id() string { return fmt.Sprintf("%s/%d", o.number, o.seq) }

// body is the event as CloudEvents 1.0 in JSON.
func (o *outEvent) body(source string) ([]byte, error) {
	return json.Marshal(map[string]any{"specversion": "1.0", "id": o.id(), "source": source, "type": "diwan.case." + o.kind, "subject": o.number,
		"time": o.at.UTC().Format(time.RFC3339Nano), "datacontenttype": "application/json", "data": map[string]any{"number": o.number, "event": o.seq, "type": o.kind}})
}

// Send hands one signed message to an address.
type Send func(ctx context.Context, address, secret, id string, at time.Time, body []byte) error

// SendEvents tells programs what waits to be told. An event waits until the one
// before it in its case was taken or given up; one that fails is tried again, ever
// less often, and given up after a day or two. source is this installation.
func (w *Casework) SendEvents(ctx context.Context, source string, send Send) error {
	if err := w.SealHooks(ctx); err != nil {
		return err
	}
	for {
		list, err := w.outWaiting(ctx)
		if err != nil || len(list) == 0 {
			return err
		}
		gone := map[string]bool{}
		for i := range list {
			o := &list[i]
			if ctx.Err() != nil || gone[o.hook] {
				continue
			}
			body, err := o.body(source)
			if err != nil {
				return err
			}
			sent := send(ctx, o.address, o.secret, o.id(), w.Clock.Now(), body)
			if errors.Is(sent, ErrHookGone) {
				gone[o.hook] = true
				sent = nil
				if err := w.endHook(ctx, o.hook, o.administration); err != nil && !problem.Is(err, problem.NotFound) {
					return err
				}
			}
			if err := w.outDone(ctx, o, sent); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (w *Casework) outWaiting(ctx context.Context) (list []outEvent, err error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT o.hook, h.administration, h.address, h.sealed, o.case_id, o.number, o.kind, o.seq, o.tries, o.at
		FROM casework_out o JOIN casework_hook h ON h.id = o.hook WHERE NOT o.dead AND o.next_at <= $1 AND h.ended_at = 0
		AND NOT EXISTS (SELECT 1 FROM casework_out p WHERE p.hook = o.hook AND p.case_id = o.case_id AND p.seq < o.seq AND NOT p.dead)
		ORDER BY o.next_at, o.case_id LIMIT $2`, db.Micros(w.Clock.Now()), outBatch)
	if err != nil {
		return nil, fmt.Errorf("reading what programs are to be told: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o outEvent
		var at int64
		var sealed []byte
		if err := rows.Scan(&o.hook, &o.administration, &o.address, &sealed, &o.caseID, &o.number, &o.kind, &o.seq, &o.tries, &at); err != nil {
			return nil, err
		}
		if len(sealed) == 0 {
			continue // added by a copy of the program from before; sealed in the next round
		}
		secret, err := w.sealer.Open(ctx, hookKeeper(o.administration), hookPlace(o.hook), sealed)
		if err != nil {
			return nil, err
		}
		o.at, o.secret = db.Time(at), string(secret)
		list = append(list, o)
	}
	return list, rows.Err()
}

// outDone keeps what became of an event. A crash before it sends the event again.
func (w *Casework) outDone(ctx context.Context, o *outEvent, sent error) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) (err error) {
		if sent == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM casework_out WHERE hook = $1 AND case_id = $2 AND seq = $3`, o.hook, o.caseID, o.seq)
		} else {
			pause := min(outFirst<<min(o.tries, 20), outLatest)
			_, err = tx.ExecContext(ctx, `UPDATE casework_out SET tries = tries + 1, next_at = $4, dead = $5 WHERE hook = $1 AND case_id = $2 AND seq = $3`,
				o.hook, o.caseID, o.seq, db.Micros(w.Clock.Now().Add(pause)), o.tries+1 >= outTries)
		}
		if err != nil {
			return fmt.Errorf("keeping what became of an event: %w", err)
		}
		return nil
	})
}
