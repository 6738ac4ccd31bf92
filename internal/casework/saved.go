package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// SavedView is a filter of the inbox that an officer gave a name. It holds no
// administration: it always filters the officer's own.
type SavedView struct {
	ID   string
	Name string
	SavedFilter
}

// SavedFilter is what is kept of a filter.
type SavedFilter struct {
	Procedure string      `json:"procedure,omitempty"`
	State     clock.State `json:"state,omitempty"`
	Who       string      `json:"who,omitempty"` // "me", "nobody", an account, or "" for all
	Soon      int         `json:"soon,omitempty"`
	Late      bool        `json:"late,omitempty"`
	Closed    bool        `json:"closed,omitempty"`
	ToChange  bool        `json:"to_change,omitempty"`
}

// Of makes the filter for an officer.
func (s SavedFilter) Of(a gov.Actor) Filter {
	f := Filter{Administration: a.Administration, Unit: a.Unit, Procedure: s.Procedure, State: s.State, Soon: s.Soon, Late: s.Late, Closed: s.Closed, ToChange: s.ToChange}
	switch s.Who {
	case "me":
		f.Assigned = a.ID
	case "nobody":
		f.Nobody = true
	default:
		f.Assigned = s.Who
	}
	return f
}

// Bounds of saved views.
const (
	maxViews    = 20
	maxViewName = 60 // characters
	maxSoon     = 366
)

// SavedViews lists those of an officer, the first first.
func (w *Casework) SavedViews(ctx context.Context, account string) ([]SavedView, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT id, name, filter FROM casework_view WHERE account = $1 ORDER BY made_at, id LIMIT $2`, account, maxViews)
	if err != nil {
		return nil, fmt.Errorf("listing saved views: %w", err)
	}
	defer rows.Close()
	var out []SavedView
	for rows.Next() {
		var v SavedView
		var filter string
		if err := rows.Scan(&v.ID, &v.Name, &filter); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(filter), &v.SavedFilter); err != nil {
			return nil, fmt.Errorf("the saved view %s: %w", v.ID, err)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// SaveView keeps a filter under a name.
func (w *Casework) SaveView(ctx context.Context, account, name string, s SavedFilter) (id string, err error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxViewName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return "", problem.New(problem.Invalid, "case.view_name")
	}
	f := s.Of(gov.Actor{})
	if _, _, err := f.where(w.today()); err != nil || s.Soon < 0 || s.Soon > maxSoon || len(s.State) > 40 {
		return "", errors.Join(err, problem.New(problem.Invalid, "case.filter"))
	}
	b, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	id = gov.NewID()
	return id, w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_view WHERE account = $1`, account).Scan(&n); err != nil {
			return err
		}
		if n >= maxViews {
			return problem.New(problem.Invalid, "case.view_many", "max", fmt.Sprint(maxViews))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_view (id, account, name, filter, made_at) VALUES ($1, $2, $3, $4, $5)`, id, account, name, string(b), db.Micros(w.Clock.Now()))
		return err
	})
}

// DropView forgets a saved view of an officer.
func (w *Casework) DropView(ctx context.Context, account, id string) error {
	if !isID(id) {
		return nil
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_view WHERE id = $1 AND account = $2`, id, account)
		return err
	})
}
