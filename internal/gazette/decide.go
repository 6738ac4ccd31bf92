package gazette

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gazette/amend"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Decision is what an editor decides about an amending clause that could not be
// applied by itself: to drop it, or what it changes and how.
type Decision struct {
	Drop      bool
	Target    string // address of the work that is changed
	Action    model.Action
	Article   string
	Paragraph string
	Label     string // of the new article
	Old, New  string
	Effective model.Date // "" the day of the amending text
	Why       string
}

// Actions are those that an editor may order.
var Actions = []model.Action{model.Substitute, model.Insert, model.Append, model.Delete, model.ReplaceText, model.DeleteText, model.RepealAct}

// operation returns an amending clause by its id.
func (g *Gazette) operation(ctx context.Context, q querier, id string) (*Operation, error) {
	if !validID(id) {
		return nil, problem.New(problem.NotFound, "law.operation_not_found")
	}
	ops, err := g.store.operations(ctx, q, `WHERE id = $1`, id)
	if err == nil && len(ops) == 0 {
		err = problem.New(problem.NotFound, "law.operation_not_found")
	}
	if err != nil {
		return nil, err
	}
	return ops[0], nil
}

// Decide keeps what an editor decided about a clause. A change that can't be
// carried out on the text that it names is refused with the reason, so that what
// is kept is applied. seen is the state and reason that the editor saw.
func (g *Gazette) Decide(ctx context.Context, actor gov.Actor, id, seen string, d Decision, more func(*db.Tx) error) error {
	if !g.MayEdit(actor) {
		return problem.New(problem.Forbidden, "forbidden")
	}
	if strings.TrimSpace(d.Why) == "" {
		return problem.New(problem.Invalid, "law.decide.why")
	}
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		o, err := g.operation(ctx, tx, id)
		if err != nil {
			return err
		}
		if o.mark() != seen {
			return problem.New(problem.Conflict, "law.decide.conflict")
		}
		if d.Drop {
			o.State, o.Reason = OpDropped, d.Why
		} else if err := g.decided(ctx, tx, o, d); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE gazette_operation SET target = $1, state = $2, reason = $3, body = $4, decided_by = $5, decided_at = $6 WHERE id = $7`,
			o.TargetWork, o.State, o.Reason, jsonOf(o.Operation), actor.ID, db.Micros(g.clock.Now()), id); err != nil {
			return fmt.Errorf("deciding an amendment: %w", err)
		}
		if err := g.audit.Append(ctx, tx, chain, actor, "gazette.decide", id, map[string]string{"state": o.State, "note": d.Why}); err != nil {
			return err
		}
		if err := g.store.bump(ctx, tx); err != nil {
			return err
		}
		return more(tx)
	})
}

// decided fills a clause with what the editor gave, and tries it.
func (g *Gazette) decided(ctx context.Context, tx *db.Tx, o *Operation, d Decision) error {
	if !slices.Contains(Actions, d.Action) {
		return problem.New(problem.Invalid, "law.decide.action")
	}
	if d.Effective != "" && dateOf(d.Effective).IsZero() {
		return problem.New(problem.Invalid, "law.decide.date")
	}
	target, err := g.store.work(ctx, tx, d.Target)
	if err != nil || target.ID == o.Work {
		return problem.New(problem.Invalid, "law.decide.target")
	}
	o.Action, o.Article, o.Paragraph, o.Label, o.Old, o.New, o.Effective = d.Action, d.Article, d.Paragraph, d.Label, d.Old, d.New, d.Effective
	o.Manual, o.State, o.Reason, o.TargetWork = "", OpPending, "", target.ID
	o.Target = model.Target{Kind: target.Kind, Number: target.Number, Date: target.Signed}
	return g.tryOut(ctx, tx, o)
}

// tryOut carries a clause out on the texts of its target, with all that is
// applied to them already, and reports the reason when it can't be.
func (g *Gazette) tryOut(ctx context.Context, tx *db.Tx, o *Operation) error {
	from, err := g.store.texts(ctx, tx, `WHERE id = $1`, o.Text)
	if err != nil || len(from) == 0 {
		return problem.Wrap(err, problem.NotFound, "law.no_text")
	}
	o.EffectiveFrom = o.Effective
	if o.EffectiveFrom == "" {
		all, err := g.store.textsOf(ctx, tx, o.Work)
		if err != nil {
			return err
		}
		o.EffectiveFrom = entersOn(all)
	}
	if o.EffectiveFrom == "" {
		o.EffectiveFrom = from[0].Version
	}
	texts, err := g.store.textsOf(ctx, tx, o.TargetWork)
	if err != nil {
		return err
	}
	others, err := g.store.operations(ctx, tx, `WHERE target = $1 AND state = $2 AND id <> $3 ORDER BY text, n`, o.TargetWork, OpApplied, o.ID)
	if err != nil {
		return err
	}
	reason := otherLanguage
	for _, t := range texts {
		if t.Lang != from[0].Lang {
			continue
		}
		if t.Version != "" && o.EffectiveFrom != "" && o.EffectiveFrom < t.Version || t.Form == model.ConsolidatedForm && o.EffectiveFrom == t.Version {
			return nil // that edition holds it already
		}
		rows, err := g.store.rowsOf(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		_, outcomes := applyTo(t.Version, rows, append(slices.Clone(others), o))
		for _, out := range outcomes {
			if out.ID == o.ID {
				reason = out.Reason
			}
		}
		if reason == "" {
			return nil
		}
	}
	return problem.New(problem.Invalid, "law.decide."+refusal(reason))
}

// refusal names in messages why a change can't be carried out.
func refusal(reason string) string {
	switch reason {
	case amend.ArticleAbsent, amend.NoArticle:
		return "article"
	case amend.WordsAbsent:
		return "words"
	case amend.ParaAbsent:
		return "paragraph"
	case amend.NoNewText:
		return "new"
	case amend.AlreadyThere:
		return "there"
	case amend.NoDate:
		return "date"
	case otherLanguage:
		return "language"
	}
	return "action"
}
