package gazette

import (
	"context"
	"encoding/json"
	"fmt"

	"diwan/internal/gazette/model"
	"diwan/internal/problem"
)

// Filter narrows a list of works. Empty fields do not.
type Filter struct {
	Kind, Subject string
	Year          int
	State         model.State
	StateSet      bool // State is asked for, also the unknown one
	// Newest leaves out works of a later year, whose year was misread; 0 does
	// not.
	Newest int
}

func (f Filter) where() (string, []any) {
	where, args := "", []any{}
	add := func(column string, v any) {
		if where == "" {
			where = "WHERE "
		} else {
			where += " AND "
		}
		args = append(args, v)
		where += column + " = $" + itoa(len(args))
	}
	if f.Kind != "" {
		add("kind", f.Kind)
	}
	if f.Subject != "" {
		add("subject", f.Subject)
	}
	if f.Year != 0 {
		add("year", f.Year)
	}
	if f.StateSet {
		add("state", f.State)
	}
	if f.Newest != 0 {
		add("suspect", false)
		args = append(args, f.Newest)
		where += " AND year <= $" + itoa(len(args))
	}
	return where, args
}

// List returns works, the newest first, and how many there are in all.
func (g *Gazette) List(ctx context.Context, f Filter, limit, offset int) ([]*model.Work, int, error) {
	for _, s := range []string{f.Kind, f.Subject, string(f.State)} {
		if s != "" && !validID(s) {
			return nil, 0, nil // nothing is called so
		}
	}
	where, args := f.where()
	var n int
	q := g.store.db.Reader()
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_work `+where, args...).Scan(&n); err != nil {
		return nil, 0, fmt.Errorf("counting works: %w", err)
	}
	k := len(args)
	args = append(args, limit, offset)
	works, err := g.store.works(ctx, q, fmt.Sprintf(`%s ORDER BY year DESC, signed DESC, id LIMIT $%d OFFSET $%d`, where, k+1, k+2), args...)
	return works, n, err
}

// Count is how many works share a value.
type Count struct {
	Value string `json:"value"`
	N     int    `json:"n"`
}

// counted are the columns that works are counted by.
var counted = map[string]string{"kind": "kind", "subject": "subject", "year": "year", "state": "state"}

// CountBy counts works by kind, subject, year or state.
func (g *Gazette) CountBy(ctx context.Context, what string) ([]Count, error) {
	column, ok := counted[what]
	if !ok {
		return nil, problem.New(problem.Invalid, "law.count_by")
	}
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT CAST(`+column+` AS TEXT), count(*) FROM gazette_work GROUP BY `+column+` ORDER BY 2 DESC, 1`)
	if err != nil {
		return nil, fmt.Errorf("counting works: %w", err)
	}
	defer rows.Close()
	var out []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Value, &c.N); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Years counts, for every year, the issues that are held and the works that say
// they appeared in it, so that gaps can be shown as what they are.
type Year struct {
	Year   int `json:"year"`
	Issues int `json:"issues"` // held as issues
	Works  int `json:"works"`  // known works of the year, wherever they came from
}

// Years lists the years from the first to the last of which anything is known.
func (g *Gazette) Years(ctx context.Context) ([]Year, error) {
	by := map[int]*Year{}
	at := func(y int) *Year {
		if by[y] == nil {
			by[y] = &Year{Year: y}
		}
		return by[y]
	}
	q := g.store.db.Reader()
	for _, query := range []struct {
		sql string
		add func(*Year, int)
	}{
		{`SELECT year, count(*) FROM gazette_issue GROUP BY year`, func(y *Year, n int) { y.Issues = n }},
		{`SELECT year, count(*) FROM gazette_work WHERE year > 0 GROUP BY year`, func(y *Year, n int) { y.Works = n }},
	} {
		rows, err := q.QueryContext(ctx, query.sql)
		if err != nil {
			return nil, fmt.Errorf("counting years: %w", err)
		}
		for rows.Next() {
			var year, n int
			if err := rows.Scan(&year, &n); err != nil {
				rows.Close()
				return nil, err
			}
			query.add(at(year), n)
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	first, last := 0, 0
	for y := range by {
		if first == 0 || y < first && y > 0 {
			first = y
		}
		last = max(last, y)
	}
	var out []Year
	for y := last; y >= first && y > 0 && len(out) < maxYears; y-- {
		if have := by[y]; have != nil {
			out = append(out, *have)
		} else {
			out = append(out, Year{Year: y})
		}
	}
	return out, nil
}

// maxYears bounds the list, whatever a misread date says.
const maxYears = 250

const issueSelect = `SELECT id, edition, number, bis, day, hijri, source, demo, summary FROM gazette_issue `

// Issues returns the issues of a year by number.
func (g *Gazette) Issues(ctx context.Context, year int) ([]*Issue, error) {
	return g.issues(ctx, issueSelect+`WHERE year = $1 ORDER BY number, bis, edition`, year)
}

// Issue returns an issue by its address.
func (g *Gazette) Issue(ctx context.Context, id string) (*Issue, error) {
	if !validID(id) {
		return nil, problem.New(problem.NotFound, "law.issue_not_found")
	}
	list, err := g.issues(ctx, issueSelect+`WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = problem.New(problem.NotFound, "law.issue_not_found")
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (g *Gazette) issues(ctx context.Context, query string, args ...any) ([]*Issue, error) {
	rows, err := g.store.db.Reader().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading issues: %w", err)
	}
	defer rows.Close()
	var out []*Issue
	for rows.Next() {
		var i Issue
		var hijri, summary string
		if err := rows.Scan(&i.ID, &i.Edition, &i.Number, &i.Bis, &i.Date, &hijri, &i.Source, &i.Demo, &summary); err != nil {
			return nil, fmt.Errorf("reading issues: %w", err)
		}
		if err := json.Unmarshal([]byte(hijri), &i.Hijri); err != nil {
			return nil, fmt.Errorf("issue %s is damaged: %w", i.ID, err)
		}
		if err := json.Unmarshal([]byte(summary), &i.Summary); err != nil {
			return nil, fmt.Errorf("issue %s is damaged: %w", i.ID, err)
		}
		out = append(out, &i)
	}
	return out, rows.Err()
}

// InSource returns the texts that were read from a file, in their order, with
// their works.
func (g *Gazette) InSource(ctx context.Context, source string) ([]*Text, map[string]*model.Work, error) {
	if !validID(source) {
		return nil, nil, problem.New(problem.NotFound, "law.source_not_found")
	}
	texts, err := g.store.texts(ctx, g.store.db.Reader(), `WHERE source = $1 ORDER BY id`, source)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	for _, t := range texts {
		ids = append(ids, t.Work)
	}
	works, err := g.Works(ctx, ids)
	return texts, works, err
}
