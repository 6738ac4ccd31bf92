package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// ComplaintRules are the periods of complaints, from the country's data. A
// complaint is no appeal: it changes nothing in a case.
type ComplaintRules struct {
	// AnswerDays is how long an administration has to answer; MendDays how long it
	// has to say, with reasons, that a complaint is ill-formed.
	AnswerDays int         `json:"answer_days"`
	MendDays   int         `json:"mend_days"`
	Basis      gov.Address `json:"basis"`
	Status     string      `json:"status"`
}

// States of a complaint.
const (
	ComplaintReceived = "received"
	ComplaintMend     = "to_mend" // the administration said what is wrong with it
	ComplaintAnswered = "answered"
	ComplaintDropped  = "dropped" // by the person
)

// Complaint is what somebody says to an administration about how it works.
type Complaint struct {
	ID, Number     string
	Administration string
	Person         string
	Case           string // number, when it is about one
	State          string
	Received       gov.Date
	Due            gov.Date
	Closed         gov.Date
	Version        int64
	Created        time.Time
	Said           []Said
}

// Said is one thing that was said in a complaint.
type Said struct {
	On     gov.Date `json:"on"`
	Office bool     `json:"office,omitempty"`
	Kind   string   `json:"kind"`
	Actor  string   `json:"actor"`
	Text   string   `json:"text"`
}

// Bounds of complaints.
const (
	maxComplaints    = 20 // open, of one person
	maxComplaintText = 20 << 10
	maxSaid          = 40
)

var errNoComplaint = problem.New(problem.NotFound, "complaint.not_found")

func complaintPlace(id string) string { return "complaint " + id }

// Late tells whether the administration has let its day pass.
func (c *Complaint) Late(today gov.Date) bool { return c.Closed.IsZero() && c.Due.Before(today) }

func complaintText(text string) (string, error) {
	if len(text) > maxComplaintText {
		return "", problem.New(problem.Invalid, "case.text_too_long")
	}
	if text = form.Clean(text, true); text == "" {
		return "", problem.New(problem.Invalid, "case.reasons_missing")
	}
	return text, nil
}

// Complain keeps a complaint and sends it to the administration that it is about.
func (w *Casework) Complain(ctx context.Context, person, administration, about, text string) (*Complaint, error) {
	text, err := complaintText(text)
	if err != nil {
		return nil, err
	}
	if about != "" {
		n, ok := ReadNumber(about)
		if !ok {
			return nil, errNoCase
		}
		c, err := caseByNumber(ctx, w.DB.Reader(), n)
		if err != nil || c.Person != person && c.Filer != person {
			return nil, errNoCase
		}
		about, administration = n, c.Administration
	}
	if administration == "" || !plain(administration) || w.IsOffice != nil && !w.IsOffice(administration) {
		return nil, problem.New(problem.Invalid, "complaint.administration")
	}
	today := w.today()
	c := &Complaint{ID: gov.NewID(), Number: NewNumber(today.Year), Administration: administration, Person: person, Case: about, State: ComplaintReceived,
		Received: today, Due: today.AddDays(w.Complaints.AnswerDays), Version: 1, Created: w.Clock.Now(), Said: []Said{{On: today, Kind: ComplaintReceived, Actor: person, Text: text}}}
	sealed, err := w.sealComplaint(ctx, c)
	if err != nil {
		return nil, err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_complaint WHERE person = $1 AND closed_on = ''`, person).Scan(&n); err != nil {
			return err
		}
		if n >= maxComplaints {
			return problem.New(problem.Invalid, "complaint.many", "max", fmt.Sprint(maxComplaints))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_complaint (administration, id, number, person, case_number, state, received_on, due, closed_on, sealed, version, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, 1, $10)`,
			c.Administration, c.ID, c.Number, c.Person, c.Case, c.State, c.Received.String(), c.Due.String(), sealed, db.Micros(c.Created))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keeping a complaint: %w", err)
	}
	return c, nil
}

func (w *Casework) sealComplaint(ctx context.Context, c *Complaint) ([]byte, error) {
	b, err := json.Marshal(c.Said)
	if err != nil {
		return nil, err
	}
	return w.sealer.Seal(ctx, c.Person, complaintPlace(c.ID), b)
}

const complaintColumns = `administration, id, number, person, case_number, state, received_on, due, closed_on, sealed, version, created_at`

func (w *Casework) complaints(ctx context.Context, q querier, where string, args ...any) ([]*Complaint, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+complaintColumns+` FROM casework_complaint WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing complaints: %w", err)
	}
	defer rows.Close()
	var out []*Complaint
	var sealed [][]byte
	for rows.Next() {
		var c Complaint
		var received, due, closed string
		var body []byte
		var created int64
		if err := rows.Scan(&c.Administration, &c.ID, &c.Number, &c.Person, &c.Case, &c.State, &received, &due, &closed, &body, &c.Version, &created); err != nil {
			return nil, err
		}
		c.Received, c.Due, c.Closed, c.Created = dayOf(received), dayOf(due), dayOf(closed), db.Time(created)
		out, sealed = append(out, &c), append(sealed, body)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, c := range out {
		b, err := w.sealer.Open(ctx, c.Person, complaintPlace(c.ID), sealed[i])
		if problem.Is(err, problem.NotFound) {
			continue // forgotten: the days remain
		}
		if err == nil {
			err = json.Unmarshal(b, &c.Said)
		}
		if err != nil {
			return nil, fmt.Errorf("opening a complaint: %w", err)
		}
	}
	return out, nil
}

// ComplaintsOf lists a person's complaints, the latest first.
func (w *Casework) ComplaintsOf(ctx context.Context, person string) ([]*Complaint, error) {
	return w.complaints(ctx, w.DB.Reader(), `person = $1 ORDER BY created_at DESC, id LIMIT 200`, person)
}

// ComplaintsTo lists those of an officer's administration that wait for it, the one
// that is due first at the top.
func (w *Casework) ComplaintsTo(ctx context.Context, by gov.Actor) ([]*Complaint, error) {
	if err := w.May(ctx, by, MayRead, &Case{Administration: by.Administration, Unit: by.Unit}); err != nil {
		return nil, err
	}
	return w.complaints(ctx, w.DB.Reader(), `administration = $1 AND closed_on = '' ORDER BY due, id LIMIT 200`, by.Administration)
}

// AnswerComplaint is what the administration does: it answers, or says within the
// period for that what is wrong with the complaint, and with reasons.
func (w *Casework) AnswerComplaint(ctx context.Context, by gov.Actor, number, state, text string, version int64) error {
	text, err := complaintText(text)
	if err != nil {
		return err
	}
	if state != ComplaintAnswered && state != ComplaintMend {
		return problem.New(problem.Invalid, "complaint.state")
	}
	return w.changeComplaint(ctx, number, version, func(c *Complaint) error {
		if err := w.May(ctx, by, MayMessage, &Case{ID: c.ID, Administration: c.Administration, Person: c.Person}); err != nil || by.ID == c.Person || by.Administration == "" {
			return errNoComplaint
		}
		today := w.today()
		switch {
		case !c.Closed.IsZero():
			return problem.New(problem.Conflict, "complaint.closed")
		case state == ComplaintMend && c.State == ComplaintMend:
			return problem.New(problem.Conflict, "complaint.mend_twice")
		case state == ComplaintMend && c.Received.AddDays(w.Complaints.MendDays).Before(today):
			return problem.New(problem.Conflict, "complaint.mend_late", "days", fmt.Sprint(w.Complaints.MendDays))
		}
		c.State = state
		if state == ComplaintAnswered {
			c.Closed = today
		}
		c.Said = append(c.Said, Said{On: today, Office: true, Kind: state, Actor: by.ID, Text: text})
		return nil
	})
}

// MendComplaint is what the person does: they put right what was wrong, which lets
// the period for the answer begin anew, or drop the complaint with an empty text.
func (w *Casework) MendComplaint(ctx context.Context, person, number, text string, version int64) error {
	if text = form.Clean(text, true); len(text) > maxComplaintText {
		return problem.New(problem.Invalid, "case.text_too_long")
	}
	return w.changeComplaint(ctx, number, version, func(c *Complaint) error {
		today := w.today()
		switch {
		case c.Person != person:
			return errNoComplaint
		case !c.Closed.IsZero():
			return problem.New(problem.Conflict, "complaint.closed")
		case text == "":
			c.State, c.Closed = ComplaintDropped, today
			return nil
		case c.State == ComplaintMend:
			c.State, c.Received, c.Due = ComplaintReceived, today, today.AddDays(w.Complaints.AnswerDays)
		}
		c.Said = append(c.Said, Said{On: today, Kind: ComplaintReceived, Actor: person, Text: text})
		return nil
	})
}

func (w *Casework) changeComplaint(ctx context.Context, number string, version int64, change func(*Complaint) error) error {
	n, ok := ReadNumber(number)
	if !ok {
		return errNoComplaint
	}
	list, err := w.complaints(ctx, w.DB.Reader(), `number = $1`, n)
	if err != nil || len(list) == 0 {
		return errors.Join(err, errNoComplaint)
	}
	c := list[0]
	if err := change(c); err != nil {
		return err
	}
	if version != 0 && version != c.Version {
		return problem.New(problem.Conflict, "complaint.changed")
	}
	if len(c.Said) > maxSaid {
		return problem.New(problem.Invalid, "case.text_too_long")
	}
	sealed, err := w.sealComplaint(ctx, c)
	if err != nil {
		return err
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		closed := ""
		if !c.Closed.IsZero() {
			closed = c.Closed.String()
		}
		r, err := tx.ExecContext(ctx, `UPDATE casework_complaint SET state = $4, received_on = $5, due = $6, closed_on = $7, sealed = $8, version = $3 + 1 WHERE administration = $1 AND id = $2 AND version = $3`,
			c.Administration, c.ID, c.Version, c.State, c.Received.String(), c.Due.String(), closed, sealed)
		if err != nil {
			return fmt.Errorf("changing a complaint: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "complaint.changed"))
		}
		return nil
	})
}

// complaintCount is how many complaints of a year were answered, and how many late.
func (w *Casework) complaintCount(ctx context.Context, from, before string) (map[string][3]int, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT administration, COUNT(*), SUM(CASE WHEN state = 'answered' THEN 1 ELSE 0 END), SUM(CASE WHEN closed_on > due OR closed_on = '' AND due < $3 THEN 1 ELSE 0 END)
		FROM casework_complaint WHERE received_on >= $1 AND received_on < $2 GROUP BY administration`, from, before, w.today().String())
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("counting complaints: %w", err)
	}
	defer rows.Close()
	out := map[string][3]int{}
	for rows.Next() {
		var a string
		var n [3]int
		if err := rows.Scan(&a, &n[0], &n[1], &n[2]); err != nil {
			return nil, err
		}
		out[a] = n
	}
	return out, rows.Err()
}
