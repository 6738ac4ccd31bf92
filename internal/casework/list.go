package casework

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Filter says which cases of an administration an inbox lists.
type Filter struct {
	Administration string
	Unit           string
	Assigned       string // an account
	Nobody         bool   // those that nobody has
	State          clock.State
	Procedure      string
	Closed         bool // those that ended, the latest first, instead of those that are open
	// Late lists those whose day has passed, Soon those whose day comes within
	// so many days and those of ToChange, for which no day is too early.
	Late bool
	Soon int
	// ToChange lists those whose decision is to be changed after a granted appeal.
	ToChange bool
	Size     int
	Page     string // token of the page before
}

// Bounds of an inbox page.
const (
	defaultPage = 50
	maxPage     = 200
)

// Inbox lists cases of an administration, those whose decision is to be changed
// after a granted appeal at the top, then those due first, and the token of the next page. The policy is the caller's: who may see the inbox of an
// administration may see that a case exists in it.
func (w *Casework) Inbox(ctx context.Context, f Filter) (list []*Case, next string, err error) {
	if f.Size <= 0 {
		f.Size = defaultPage
	}
	f.Size = min(f.Size, maxPage)
	query, args, err := f.query(w.today())
	if err != nil {
		return nil, "", err
	}
	if list, err = cases(ctx, w.DB.Reader(), query, args...); err != nil {
		return nil, "", err
	}
	if len(list) > f.Size {
		list = list[:f.Size]
		last := list[f.Size-1]
		at := last.dueText()
		if f.Closed {
			at = fmt.Sprint(last.Created.UnixMicro())
		}
		next = token(at, last.ID)
	}
	return list, next, nil
}

// query is what reads a page, and one case more, to know whether there is another.
// Its order is that of the indexes, so that an inbox of a million cases costs what
// its page costs.
func (f *Filter) query(today gov.Date) (string, []any, error) {
	where, args, err := f.where(today)
	if err != nil {
		return "", nil, err
	}
	key, dir, than := "due", "", ">"
	if f.Closed {
		key, dir, than = "created_at", " DESC", "<"
	}
	if f.Page != "" {
		at, id, err := readToken(f.Page)
		if err != nil {
			return "", nil, err
		}
		where += fmt.Sprintf(" AND (%s, id) %s ($%d, $%d)", key, than, len(args)+1, len(args)+2)
		args = append(args, at, id)
	}
	args = append(args, f.Size+1)
	return `SELECT ` + caseColumns + ` FROM casework_case WHERE ` + where + fmt.Sprintf(" ORDER BY %s%s, id%s LIMIT $%d", key, dir, dir, len(args)), args, nil
}

// where writes the filter as SQL. The conditions stand in the order of the indexes
// that serve them.
func (f *Filter) where(today gov.Date) (string, []any, error) {
	args := []any{f.Administration}
	conds := []string{"administration = $1"}
	add := func(cond string, v any) {
		args = append(args, v)
		conds = append(conds, fmt.Sprintf(cond, len(args)))
	}
	if f.Closed {
		conds = append(conds, "NOT open")
	} else {
		conds = append(conds, "open")
	}
	switch {
	case f.Nobody:
		add("assigned = $%d", "")
	case f.Assigned != "":
		add("assigned = $%d", f.Assigned)
	}
	if f.Unit != "" {
		add("unit = $%d", f.Unit)
	}
	if f.State != "" {
		add("state = $%d", string(f.State))
	}
	if f.Procedure != "" {
		add("procedure = $%d", f.Procedure)
	}
	switch {
	case f.ToChange:
		add("due = $%d", foremost)
	case f.Late:
		add("due > $%d", foremost)
		add("due < $%d", today.String())
	case f.Soon > 0:
		add("due <= $%d", today.AddDays(min(f.Soon, 366)).String())
	}
	for _, s := range []string{f.Unit, f.Assigned, f.Procedure} {
		if len(s) > 200 || strings.ContainsRune(s, 0) {
			return "", nil, problem.New(problem.Invalid, "case.filter")
		}
	}
	return strings.Join(conds, " AND "), args, nil
}

func token(at, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at + " " + id))
}

func readToken(s string) (at, id string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	at, id, ok := strings.Cut(string(b), " ")
	if err != nil || !ok || !isID(id) || len(at) > 20 || strings.Trim(at, "0123456789-") != "" {
		return "", "", problem.New(problem.Invalid, "page_token")
	}
	return at, id, nil
}

// countTo bounds what a count looks at: an officer needs to know that there are
// many, not how many.
const countTo = 1000

// Count counts what a filter lists, up to a thousand.
func (w *Casework) Count(ctx context.Context, f Filter) (n int, err error) {
	where, args, err := f.where(w.today())
	if err != nil {
		return 0, err
	}
	err = w.DB.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM casework_case WHERE `+where+fmt.Sprintf(` LIMIT %d) AS few`, countTo), args...).Scan(&n)
	return n, err
}

// CasesOf lists the cases of somebody: those they filed and those about them, the
// latest first.
func (w *Casework) CasesOf(ctx context.Context, account string) ([]*Case, error) {
	return cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE filer = $1 OR person = $1 ORDER BY created_at DESC, id LIMIT 500`, account)
}

// EarlierOf lists cases of the same person for the same procedure at the same
// administration, for an officer who compares.
func (w *Casework) EarlierOf(ctx context.Context, c *Case) ([]*Case, error) {
	return cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE person = $1 AND administration = $2 AND procedure = $3 AND id <> $4
		ORDER BY created_at DESC, id LIMIT 20`, c.Person, c.Administration, c.Procedure, c.ID)
}

// Twins lists open cases that ask for the same, word for word.
func (w *Casework) Twins(ctx context.Context, c *Case) ([]*Case, error) {
	return cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE administration = $1 AND duplicate = $2 AND duplicate <> '' AND id <> $3
		ORDER BY created_at DESC, id LIMIT 20`, c.Administration, c.Duplicate, c.ID)
}
