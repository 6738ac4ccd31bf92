package gazette

import (
	"context"
	"encoding/json"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
)

const linkColumns = `text, eid, n, work, relation, to_key, to_work, to_eid, citation`

// putLinks writes the citations of a text. What they name is looked up later,
// when all texts are there.
func (s store) putLinks(ctx context.Context, tx *db.Tx, t *Text, links []model.Link) error {
	rows := make([][]any, len(links))
	for i := range links {
		l := &links[i]
		rows[i] = []any{t.ID, l.EID, i, t.Work, l.Relation, numberKey(l.Target.Kind, l.Target.Number), l.To, l.ToEID, jsonOf(l.Citation)}
	}
	return s.insert(ctx, tx, "gazette_link", linkColumns, rows)
}

// links runs a query for citations: where it stands after FROM gazette_link.
func (s store) links(ctx context.Context, q querier, where string, args ...any) ([]*StoredLink, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+linkColumns+` FROM gazette_link `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading citations: %w", err)
	}
	defer rows.Close()
	var out []*StoredLink
	for rows.Next() {
		var l StoredLink
		var key, citation string
		if err := rows.Scan(&l.Text, &l.EID, &l.N, &l.From, &l.Relation, &key, &l.To, &l.ToEID, &citation); err != nil {
			return nil, fmt.Errorf("reading citations: %w", err)
		}
		relation := l.Relation
		if err := json.Unmarshal([]byte(citation), &l.Citation); err != nil {
			return nil, fmt.Errorf("a citation of %s is damaged: %w", l.Text, err)
		}
		l.Relation = relation
		out = append(out, &l)
	}
	return out, rows.Err()
}

// StoredLink is a citation with the text it stands in.
type StoredLink struct {
	model.Link
	Text string
	N    int
}

// States of an operation.
const (
	OpApplied  = "applied"
	OpManual   = "manual"   // an editor must decide; Reason says why
	OpAbsent   = "absent"   // its target is not held
	OpPending  = "pending"  // not looked at yet, or its day has not come
	OpDropped  = "dropped"  // an editor decided that it changes nothing
	OpIncluded = "included" // the edition already holds it
)

// Operation is an amending clause with what became of it.
type Operation struct {
	model.Operation
	ID, Text, Work, EID string
	N                   int
	TargetWork          string
	EffectiveFrom       model.Date
	State, Reason       string
	DecidedBy           string
}

const operationColumns = `id, text, work, eid, n, target, effective, state, reason, body, decided_by, decided_at`

// putOperations writes the amending clauses of a text behind those that are
// there: a clause that a person decided about is not written again.
func (s store) putOperations(ctx context.Context, tx *db.Tx, t *Text, ops []model.Operation) error {
	if len(ops) == 0 {
		return nil
	}
	decided, err := s.operations(ctx, tx, `WHERE text = $1 ORDER BY n`, t.ID)
	if err != nil {
		return err
	}
	n, at := 0, map[string]bool{}
	for _, o := range decided {
		n = max(n, o.N+1)
		at[o.Unit+" "+itoa(o.Start)] = o.DecidedBy != ""
	}
	var rows [][]any
	for i := range ops {
		if at[ops[i].Unit+" "+itoa(ops[i].Start)] {
			continue
		}
		rows = append(rows, []any{t.ID + "-" + itoa(n), t.ID, t.Work, ops[i].Unit, n, "", "", OpPending, "", jsonOf(ops[i]), "", 0})
		n++
	}
	return s.insert(ctx, tx, "gazette_operation", operationColumns, rows)
}

// operations runs a query for operations: where it stands after FROM
// gazette_operation.
func (s store) operations(ctx context.Context, q querier, where string, args ...any) ([]*Operation, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+operationColumns+` FROM gazette_operation `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading amendments: %w", err)
	}
	defer rows.Close()
	var out []*Operation
	for rows.Next() {
		var o Operation
		var body string
		var at int64
		if err := rows.Scan(&o.ID, &o.Text, &o.Work, &o.EID, &o.N, &o.TargetWork, &o.EffectiveFrom, &o.State, &o.Reason, &body, &o.DecidedBy, &at); err != nil {
			return nil, fmt.Errorf("reading amendments: %w", err)
		}
		if err := json.Unmarshal([]byte(body), &o.Operation); err != nil {
			return nil, fmt.Errorf("amendment %s is damaged: %w", o.ID, err)
		}
		out = append(out, &o)
	}
	return out, rows.Err()
}
