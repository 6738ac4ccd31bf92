package casework

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
)

// fewest is the smallest number that is published: of fewer cases somebody could be
// recognised. Zero is published.
const fewest = 5

// Count is a number that is published, or nothing when it is small.
type Count struct {
	N    int
	Few  bool // between one and four, or hidden so that such a one can't be worked out
	None bool // there is no such number
}

func count(n int) Count { return Count{N: n, Few: n > 0 && n < fewest} }

// MarshalJSON writes null for what is not published.
func (c Count) MarshalJSON() ([]byte, error) {
	if c.Few || c.None {
		return []byte("null"), nil
	}
	return json.Marshal(c.N)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Count) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*c = Count{Few: true}
		return nil
	}
	return json.Unmarshal(b, &c.N)
}

// Indicators are what is published of a year (article 28): of the cases filed in it,
// by administration and procedure, what became of them and how long it took. They
// are as of the day they were counted; a year is settled when its last case is.
type Indicators struct {
	Year int            `json:"year"`
	AsOf gov.Date       `json:"as_of"`
	Rows []IndicatorRow `json:"rows"`
}

// IndicatorRow is one procedure at one administration. Numbers below five are null,
// and with them the next smallest of the same sum.
type IndicatorRow struct {
	Administration string   `json:"administration"`
	Procedure      string   `json:"procedure"`
	Name           gov.Text `json:"name"`
	Demo           bool     `json:"demonstration,omitempty"`
	Filed          Count    `json:"filed"`
	// What became of them; together they are the cases filed.
	Granted   Count `json:"granted"`
	Refused   Count `json:"refused"`
	Silence   Count `json:"approved_by_silence"`
	Lapsed    Count `json:"lapsed"`
	Returned  Count `json:"returned"`
	Withdrawn Count `json:"withdrawn"`
	Pending   Count `json:"pending"`
	// Of the decisions taken: before the end of the period, or after.
	InTime Count `json:"in_time"`
	Late   Count `json:"late"`
	// Days from the complete file to the decision, suspensions included.
	Median Count `json:"median_days"`
	P90    Count `json:"p90_days"`
	// Refusals by the code of their ground.
	Grounds  map[string]Count `json:"refusals_by_ground,omitempty"`
	Extended Count            `json:"extended"`
	Appealed Count            `json:"appealed"`
	// What became of the appeals.
	AppealGranted  Count `json:"appeals_granted"`
	AppealAnswered Count `json:"appeals_answered"`
	AppealOpen     Count `json:"appeals_without_answer"`
	// Ratings, and their mean in hundredths.
	Ratings Count `json:"ratings"`
	Stars   Count `json:"mean_rating_hundredths"`
	// Complaints are of the whole administration, and stand in its first row.
	Complaints     Count `json:"complaints"`
	ComplaintsLate Count `json:"complaints_late"`
}

// tally is a row while it is counted.
type tally struct {
	name                                                              gov.Text
	demo                                                              bool
	filed, granted, refused, silence, lapsed, returned, withdrawn     int
	pending, inTime, late, extended, appealed, upheld, answered, open int
	days                                                              []int
	grounds                                                           map[string]int
	stars, ratings                                                    int
}

// fate is one case while its events are read.
type fate struct {
	filed, complete, decided                                     gov.Date
	outcome                                                      string
	ground                                                       string
	lapsed, late, extended, appealed, answered, upheld, referred bool
}

// see follows a case by one of its events.
func (f *fate) see(e *Event) {
	switch e.Type {
	case string(clock.Filed):
		f.filed = e.On
		if e.Clear.Complete == nil || *e.Clear.Complete {
			f.complete = e.On
		}
	case string(clock.Completed):
		f.complete = e.On
	case string(clock.Extended):
		f.extended = true
	case string(clock.Granted), string(clock.Refused):
		if f.appealed {
			f.upheld = e.Type == string(clock.Granted)
			return
		}
		f.outcome, f.decided, f.ground, f.late = e.Type, e.On, e.Clear.Ground, f.lapsed
	case string(clock.Withdrawn):
		f.outcome = e.Type
	case string(clock.Appealed):
		f.appealed = true
	case string(clock.AppealAnswered):
		f.answered, f.upheld = true, f.upheld || e.Clear.Ground == clock.AppealGranted
	case TimePassed:
		switch clock.State(e.Clear.State) {
		case clock.SilenceApproved, clock.Returned:
			f.outcome = e.Clear.State
		case clock.LapsedAppealable:
			f.lapsed = true
		case clock.Referred:
			f.referred = true
		}
	}
}

func (t *tally) add(f *fate) {
	t.filed++
	switch {
	case f.outcome == string(clock.Granted):
		t.granted++
	case f.outcome == string(clock.Refused):
		t.refused++
		t.grounds[cmp.Or(f.ground, "stated")]++
	case f.outcome == string(clock.SilenceApproved):
		t.silence++
	case f.outcome == string(clock.Returned):
		t.returned++
	case f.outcome == string(clock.Withdrawn):
		t.withdrawn++
	case f.lapsed:
		t.lapsed++
	default:
		t.pending++
	}
	if !f.decided.IsZero() {
		if f.late {
			t.late++
		} else {
			t.inTime++
		}
		if !f.complete.IsZero() {
			t.days = append(t.days, daysBetween(f.complete, f.decided))
		}
	}
	if f.extended {
		t.extended++
	}
	if f.appealed {
		t.appealed++
		switch {
		case f.upheld:
			t.upheld++
		case f.answered:
			t.answered++
		default:
			t.open++
		}
	}
}

// row publishes a tally.
func (t *tally) row() IndicatorRow {
	r := IndicatorRow{Name: t.name, Demo: t.demo, Filed: count(t.filed), Granted: count(t.granted), Refused: count(t.refused), Silence: count(t.silence), Lapsed: count(t.lapsed),
		Returned: count(t.returned), Withdrawn: count(t.withdrawn), Pending: count(t.pending), InTime: count(t.inTime), Late: count(t.late), Extended: count(t.extended),
		Appealed: count(t.appealed), AppealGranted: count(t.upheld), AppealAnswered: count(t.answered), AppealOpen: count(t.open), Ratings: count(t.ratings),
		Median: Count{None: true}, P90: Count{None: true}, Stars: Count{None: true}, Complaints: Count{None: true}, ComplaintsLate: Count{None: true}, Grounds: map[string]Count{}}
	if r.Filed.Few { // of so few nothing else is said
		all := []*Count{&r.Granted, &r.Refused, &r.Silence, &r.Lapsed, &r.Returned, &r.Withdrawn, &r.Pending, &r.InTime, &r.Late, &r.Extended, &r.Appealed, &r.AppealGranted, &r.AppealAnswered, &r.AppealOpen}
		for _, c := range all {
			c.Few = true
		}
		return r
	}
	hideSecond(&r.Granted, &r.Refused, &r.Silence, &r.Lapsed, &r.Returned, &r.Withdrawn, &r.Pending)
	hideSecond(&r.InTime, &r.Late)
	hideSecond(&r.AppealGranted, &r.AppealAnswered, &r.AppealOpen)
	var grounds []*Count
	for _, g := range slices.Sorted(maps.Keys(t.grounds)) {
		c := count(t.grounds[g])
		grounds = append(grounds, &c)
	}
	hideSecond(grounds...)
	for i, g := range slices.Sorted(maps.Keys(t.grounds)) {
		r.Grounds[g] = *grounds[i]
		if r.Refused.Few { // the grounds would say how many
			r.Grounds[g] = Count{Few: true}
		}
	}
	if len(t.days) >= fewest {
		slices.Sort(t.days)
		r.Median, r.P90 = Count{N: t.days[(len(t.days)-1)/2]}, Count{N: t.days[(len(t.days)*9+9)/10-1]}
	}
	if t.ratings >= fewest {
		r.Stars = Count{N: t.stars * 100 / t.ratings}
	}
	return r
}

// hideSecond hides, where one part of a sum alone is hidden, the smallest other, so
// that nobody works the hidden one out from the sum.
func hideSecond(parts ...*Count) {
	var smallest *Count
	hidden := 0
	for _, p := range parts {
		switch {
		case p.Few:
			hidden++
		case p.N > 0 && (smallest == nil || p.N < smallest.N):
			smallest = p
		}
	}
	if hidden == 1 && smallest != nil {
		smallest.Few = true
	}
}

type tallyKey struct{ administration, procedure string }

// CountIndicators counts the cases of a year. Appeals are counted with what they
// contest, and are no applications.
func (w *Casework) CountIndicators(ctx context.Context, year int) (*Indicators, error) {
	from, before := fmt.Sprintf("%04d-01-01", year), fmt.Sprintf("%04d-01-01", year+1)
	tallies := map[tallyKey]*tally{}
	if err := w.tallyCases(ctx, from, before, tallies); err != nil {
		return nil, err
	}
	complaints, err := w.complaintCount(ctx, from, before)
	if err != nil {
		return nil, err
	}
	out := &Indicators{Year: year, AsOf: w.today(), Rows: []IndicatorRow{}}
	keys := slices.SortedFunc(maps.Keys(tallies), func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.administration, b.administration), cmp.Compare(a.procedure, b.procedure))
	})
	for i, k := range keys {
		r := tallies[k].row()
		r.Administration, r.Procedure = k.administration, k.procedure
		if n, ok := complaints[k.administration]; ok && (i == 0 || keys[i-1].administration != k.administration) {
			r.Complaints, r.ComplaintsLate = count(n[0]), count(n[2])
		}
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}

// tallyCases reads the events of the cases of a year, case after case.
func (w *Casework) tallyCases(ctx context.Context, from, before string, tallies map[tallyKey]*tally) error {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT c.administration, c.procedure, c.terms, c.id, e.type, e.on_day, e.clear, COALESCE(r.stars, 0) FROM casework_case c
		JOIN casework_event e ON e.administration = c.administration AND e.case_id = c.id LEFT JOIN casework_rating r ON r.administration = c.administration AND r.case_id = c.id
		WHERE c.filed_on >= $1 AND c.filed_on < $2 AND c.earlier = '' ORDER BY c.administration, c.id, e.seq`, from, before)
	if err != nil {
		return fmt.Errorf("reading the cases of a year: %w", err)
	}
	defer rows.Close()
	clears := map[string]Clear{}
	var key tallyKey
	var id string
	var f fate
	end := func() {
		if id != "" {
			tallies[key].add(&f)
		}
	}
	terms := map[tallyKey]string{}
	for rows.Next() {
		var k tallyKey
		var digest, this, kind, on, clear string
		var stars int
		if err := rows.Scan(&k.administration, &k.procedure, &digest, &this, &kind, &on, &clear, &stars); err != nil {
			return err
		}
		if this != id {
			end()
			key, id, f, terms[k] = k, this, fate{}, digest
			if tallies[k] == nil {
				tallies[k] = &tally{grounds: map[string]int{}}
			}
			if stars > 0 {
				tallies[k].ratings++
				tallies[k].stars += stars
			}
		}
		c, err := clearOf(clear, clears)
		if err != nil {
			return err
		}
		f.see(&Event{Type: kind, On: dayOf(on), Clear: c})
	}
	end()
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for k, digest := range terms {
		t, err := w.termsBy(ctx, w.DB.Reader(), digest)
		if err != nil {
			return err
		}
		tallies[k].name, tallies[k].demo = t.Name, t.Demo
	}
	return nil
}

// KeepIndicators counts this year and the one before and keeps what was found, for
// pages and programs. It is called now and then, by one copy of the program.
func (w *Casework) KeepIndicators(ctx context.Context) error {
	for _, year := range []int{w.today().Year - 1, w.today().Year} {
		found, err := w.CountIndicators(ctx, year)
		if err != nil {
			return err
		}
		b, err := json.Marshal(found)
		if err != nil {
			return err
		}
		err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO casework_indicators (year, body, made_at) VALUES ($1, $2, $3) ON CONFLICT (year) DO UPDATE SET body = excluded.body, made_at = excluded.made_at`,
				year, string(b), db.Micros(w.Clock.Now()))
			return err
		})
		if err != nil {
			return fmt.Errorf("keeping the indicators of %d: %w", year, err)
		}
	}
	return nil
}

// IndicatorsOf returns what was last counted of a year; of one that was never
// counted, nothing in no rows.
func (w *Casework) IndicatorsOf(ctx context.Context, year int) (*Indicators, error) {
	var body string
	err := w.DB.Reader().QueryRowContext(ctx, `SELECT body FROM casework_indicators WHERE year = $1`, year).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return &Indicators{Year: year, AsOf: w.today(), Rows: []IndicatorRow{}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the indicators of a year: %w", err)
	}
	out := &Indicators{}
	return out, json.Unmarshal([]byte(body), out)
}
