package gazette

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

// Identity is what an officer read on the page about a text whose digits could
// not be trusted.
type Identity struct {
	Kind   string
	Number string // as printed
	Signed model.Date
}

// Confirm gives a work the number and the date that an officer read on the page,
// and with them its address. The old address leads to the new one. The digits
// inside the text stay doubtful and the page goes on saying so.
func (g *Gazette) Confirm(ctx context.Context, actor gov.Actor, work string, in Identity, more func(*db.Tx) error) (to string, err error) {
	if !g.MayEdit(actor) {
		return "", problem.New(problem.Forbidden, "forbidden")
	}
	if _, ok := g.grammar.Kind(in.Kind); !ok {
		return "", problem.New(problem.Invalid, "law.confirm.kind")
	}
	number := model.Number("")
	if in.Number != "" {
		n, ok := g.grammar.Number(in.Kind, in.Number, true)
		if !ok {
			return "", problem.New(problem.Invalid, "law.confirm.number")
		}
		number = n
	}
	if in.Signed == "" && number == "" || in.Signed != "" && (dateOf(in.Signed).IsZero() || in.Signed > model.Date(g.Today().String())) {
		return "", problem.New(problem.Invalid, "law.confirm.date")
	}
	err = g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		w, err := g.store.work(ctx, tx, work)
		if err != nil {
			return err
		}
		if !w.Suspect {
			return problem.New(problem.Conflict, "law.confirm.done")
		}
		old := w.ID
		w.Kind, w.Number, w.Signed, w.Suspect = in.Kind, number, in.Signed, false
		if w.ID = g.address(w, keyIn(old)); w.ID != old {
			if _, err := g.store.work(ctx, tx, w.ID); err == nil {
				return problem.New(problem.Conflict, "law.confirm.taken", "address", w.ID)
			} else if !problem.Is(err, problem.NotFound) {
				return err
			}
		}
		to = w.ID
		if err := g.moveWork(ctx, tx, old, w); err != nil {
			return err
		}
		if err := g.audit.Append(ctx, tx, chain, actor, "gazette.confirm", to, map[string]string{"from": old}); err != nil {
			return err
		}
		if err := g.store.bump(ctx, tx); err != nil {
			return err
		}
		return more(tx)
	})
	return to, err
}

// keyIn is the key of the source in an address that was made from it.
func keyIn(address string) string {
	_, key, _ := strings.Cut(address, "/x-")
	return key
}

// moveWork writes a work under its new address, wherever the old one stood.
func (g *Gazette) moveWork(ctx context.Context, tx *db.Tx, old string, w *model.Work) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_work WHERE id = $1`, old); err != nil {
		return err
	}
	if err := g.store.putWorks(ctx, tx, []*model.Work{w}, g.clock.Now()); err != nil {
		return err
	}
	if err := g.markDigits(ctx, tx, old); err != nil || old == w.ID {
		return err
	}
	for _, column := range []string{"gazette_text.work", "gazette_piece.work", "gazette_piece.by_work", "gazette_link.work", "gazette_link.to_work",
		"gazette_operation.work", "gazette_operation.target", "gazette_difference.work", "gazette_difference.detail", "gazette_event.work",
		"gazette_event.by_work", "gazette_subscription.target", "gazette_moved.work"} {
		table, name, _ := strings.Cut(column, ".")
		if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET `+name+` = $1 WHERE `+name+` = $2`, w.ID, old); err != nil {
			return fmt.Errorf("moving %s to %s: %w", old, w.ID, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_moved WHERE old = $1 OR old = $2`, old, w.ID); err != nil {
		return err
	}
	if err := g.store.insert(ctx, tx, "gazette_moved", `old, work, short`, [][]any{{old, w.ID, shortOf(old)}}); err != nil {
		return err
	}
	return g.moveAttached(ctx, tx, old, w.ID)
}

// digitsSuspect is the problem of a text whose digits can't be trusted.
const digitsSuspect = "digits_suspect"

// markDigits keeps on the texts of a work that their digits are doubtful.
func (g *Gazette) markDigits(ctx context.Context, tx *db.Tx, work string) error {
	texts, err := g.store.texts(ctx, tx, `WHERE work = $1`, work)
	if err != nil {
		return err
	}
	for _, t := range texts {
		if slices.ContainsFunc(t.Problems, func(p model.Problem) bool { return p.Code == digitsSuspect }) {
			continue
		}
		t.Problems = append(t.Problems, model.Problem{Code: digitsSuspect})
		if err := g.putHead(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

// moveAttached mends the texts that publish the work.
func (g *Gazette) moveAttached(ctx context.Context, tx *db.Tx, old, to string) error {
	texts, err := g.store.texts(ctx, tx, `WHERE head LIKE $1`, "%"+old+"%")
	if err != nil {
		return err
	}
	for _, t := range texts {
		for i, a := range t.Attached {
			if a == old {
				t.Attached[i] = to
			}
		}
		if err := g.putHead(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gazette) putHead(ctx context.Context, tx *db.Tx, t *Text) error {
	_, err := tx.ExecContext(ctx, `UPDATE gazette_text SET head = $1 WHERE id = $2`,
		jsonOf(textHead{t.Publication, t.Consolidated, t.Problems, t.Attached, t.Entry}), t.ID)
	return err
}

// movedTo is the address to which a text moved from another, or "".
func (s store) movedTo(ctx context.Context, q querier, where, value string) (string, error) {
	var to string
	err := q.QueryRowContext(ctx, `SELECT work FROM gazette_moved WHERE `+where+` = $1`, value).Scan(&to)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return to, err
}

// loadMoved reads all addresses that moved.
func (s store) loadMoved(ctx context.Context, q querier) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT old, work FROM gazette_moved`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var old, to string
		if err := rows.Scan(&old, &to); err != nil {
			return nil, err
		}
		out[old] = to
	}
	return out, rows.Err()
}

// withRest puts the language, day and place of an address behind another work.
func withRest(work string, iri akn.IRI) string {
	to, err := akn.ParseIRI(work)
	if err != nil {
		return work
	}
	to.Lang, to.Version, to.Original, to.View, to.Component, to.Portion, to.Format = iri.Lang, iri.Version, iri.Original, iri.View, iri.Component, iri.Portion, iri.Format
	return to.String()
}
