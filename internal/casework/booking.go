package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Opening is a stretch of a weekday in which an office receives by appointment.
// Times are minutes of the local day.
type Opening struct {
	ID             string
	Administration string
	Weekday        time.Weekday
	From, To       int
	Slot           int // length of an appointment
	Seats          int // received at once
}

// Slot is a time at which one can come, with the seats that are free.
type Slot struct {
	Day    gov.Date
	Minute int
	Length int
	Free   int
	seats  int
}

// Booking is an appointment.
type Booking struct {
	ID             string
	Administration string
	Day            gov.Date
	Minute, Length int
	Ticket         int // as it is called out: nobody else has it that day
	Account        string
	Person         string
	Number         string // of the case; empty without one
	Procedure      string
	State          string
	Changes        int
	Made           time.Time
	Name           gov.Text // of who comes

	seat   int
	caseID string
	sealed []byte
}

// States of an appointment.
const (
	Booked    = "booked"
	Cancelled = "cancelled"
	Came      = "came"
	Missed    = "missed"
)

// BookingSoon is the notice of the day before.
const BookingSoon = "booking_soon"

// Bounds of appointments.
const (
	bookAhead   = 30 // days
	bookNotice  = 60 // minutes before a slot in which it can still be taken
	maxBookings = 3  // to come, of one account at one office
	maxOpenings = 50
	maxSeats    = 50
	bookTries   = 20 // when others book at the same moment
)

// Openings lists when an office receives.
func (w *Casework) Openings(ctx context.Context, administration string) ([]Opening, error) {
	return openings(ctx, w.DB.Reader(), administration)
}

func openings(ctx context.Context, q querier, administration string) ([]Opening, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, administration, weekday, from_minute, to_minute, slot, seats FROM casework_opening
		WHERE administration = $1 ORDER BY weekday, from_minute, id`, administration)
	if err != nil {
		return nil, fmt.Errorf("reading when an office receives: %w", err)
	}
	defer rows.Close()
	var out []Opening
	for rows.Next() {
		var o Opening
		if err := rows.Scan(&o.ID, &o.Administration, &o.Weekday, &o.From, &o.To, &o.Slot, &o.Seats); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// mayOpen tells whether somebody may say when their office receives: those who
// distribute its work.
func (w *Casework) mayOpen(ctx context.Context, by gov.Actor) error {
	return w.May(ctx, by, MayAssign, &Case{Administration: by.Administration, Unit: by.Unit})
}

// AddOpening says when an office receives.
func (w *Casework) AddOpening(ctx context.Context, by gov.Actor, o Opening) error {
	if err := w.mayOpen(ctx, by); err != nil {
		return err
	}
	if o.Weekday < 0 || o.Weekday > 6 || o.From < 0 || o.To > 24*60 || o.Slot < 5 || o.Slot > 240 || o.To-o.From < o.Slot || o.Seats < 1 || o.Seats > maxSeats {
		return problem.New(problem.Invalid, "book.opening")
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		has, err := openings(ctx, tx, by.Administration)
		if err != nil {
			return err
		}
		overlaps := slices.ContainsFunc(has, func(h Opening) bool { return h.Weekday == o.Weekday && o.From < h.To && h.From < o.To })
		if overlaps || len(has) >= maxOpenings {
			return problem.New(problem.Conflict, "book.opening_twice")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_opening (id, administration, weekday, from_minute, to_minute, slot, seats, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			gov.NewID(), by.Administration, int(o.Weekday), o.From, o.To, o.Slot, o.Seats, by.ID)
		return err
	})
}

// DropOpening ends one. Appointments that were made stay.
func (w *Casework) DropOpening(ctx context.Context, by gov.Actor, id string) error {
	if err := w.mayOpen(ctx, by); err != nil || !isID(id) {
		return err
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_opening WHERE id = $1 AND administration = $2`, id, by.Administration)
		return err
	})
}

// localMinute is the minute of the local day.
func (w *Casework) localMinute() int {
	local := w.Clock.Now().In(w.Country.Zone())
	return local.Hour()*60 + local.Minute()
}

// Slots lists the free times of an office on a day: none on a day off, and none that
// is too near to come.
func (w *Casework) Slots(ctx context.Context, administration string, day gov.Date) ([]Slot, error) {
	return w.slots(ctx, w.DB.Reader(), administration, day)
}

func (w *Casework) slots(ctx context.Context, q querier, administration string, day gov.Date) ([]Slot, error) {
	today := w.today()
	if day.Before(today) || today.AddDays(bookAhead).Before(day) || !w.Country.Calendar().Working(day) {
		return nil, nil
	}
	open, err := openings(ctx, q, administration)
	if err != nil {
		return nil, err
	}
	taken, err := takenSeats(ctx, q, administration, day)
	if err != nil {
		return nil, err
	}
	var out []Slot
	for _, o := range open {
		if o.Weekday != day.Weekday() {
			continue
		}
		for m := o.From; m+o.Slot <= o.To; m += o.Slot {
			s := Slot{Day: day, Minute: m, Length: o.Slot, Free: o.Seats - len(taken[m]), seats: o.Seats}
			if s.Free > 0 && (day != today || m >= w.localMinute()+bookNotice) {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// takenSeats are the seats of a day that are taken, by minute.
func takenSeats(ctx context.Context, q querier, administration string, day gov.Date) (map[int][]int, error) {
	rows, err := q.QueryContext(ctx, `SELECT minute, seat FROM casework_booking WHERE administration = $1 AND day = $2 AND state <> 'cancelled'`, administration, day.String())
	if err != nil {
		return nil, fmt.Errorf("reading appointments: %w", err)
	}
	defer rows.Close()
	out := map[int][]int{}
	for rows.Next() {
		var minute, seat int
		if err := rows.Scan(&minute, &seat); err != nil {
			return nil, err
		}
		out[minute] = append(out[minute], seat)
	}
	return out, rows.Err()
}

// BookableDays lists the days to come on which an office has a free time.
func (w *Casework) BookableDays(ctx context.Context, administration string) ([]gov.Date, error) {
	var out []gov.Date
	for n := range bookAhead + 1 {
		day := w.today().AddDays(n)
		s, err := w.Slots(ctx, administration, day)
		if err != nil {
			return nil, err
		}
		if len(s) > 0 {
			out = append(out, day)
		}
	}
	return out, nil
}

func bookingPlace(id string) string { return "booking " + id }

// Book takes a seat of a slot. Of two who want the last one, one gets it.
func (w *Casework) Book(ctx context.Context, b Booking) (*Booking, error) {
	for try := 1; ; try++ {
		out, err := w.bookOnce(ctx, b)
		if !db.IsDuplicate(err) || try == bookTries {
			return out, err
		}
	}
}

func (w *Casework) bookOnce(ctx context.Context, b Booking) (*Booking, error) {
	b.ID, b.State, b.Made = gov.NewID(), Booked, w.Clock.Now()
	name, err := json.Marshal(b.Name)
	if err != nil {
		return nil, err
	}
	if b.sealed, err = w.sealer.Seal(ctx, b.Person, bookingPlace(b.ID), name); err != nil {
		return nil, err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_booking WHERE account = $1 AND administration = $2 AND state = $3 AND day >= $4`,
			b.Account, b.Administration, Booked, w.today().String()).Scan(&n); err != nil {
			return err
		}
		if n >= maxBookings {
			return problem.New(problem.Conflict, "book.many", "max", fmt.Sprint(maxBookings))
		}
		free, err := w.slots(ctx, tx, b.Administration, b.Day)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(free, func(s Slot) bool { return s.Minute == b.Minute })
		if i < 0 {
			return problem.New(problem.Conflict, "book.taken")
		}
		taken, err := takenSeats(ctx, tx, b.Administration, b.Day)
		if err != nil {
			return err
		}
		for b.seat = 0; slices.Contains(taken[b.Minute], b.seat); b.seat++ {
		}
		b.Length = free[i].Length
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) + 1 FROM casework_booking WHERE administration = $1 AND day = $2`, b.Administration, b.Day.String()).Scan(&b.Ticket); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_booking (`+bookingColumns+`, reminded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, FALSE)`,
			b.ID, b.Administration, b.Day.String(), b.Minute, b.Length, b.seat, b.Ticket, b.Account, b.Person, b.caseID, b.Number, b.Procedure, b.sealed, b.State, db.Micros(b.Made))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("booking: %w", err)
	}
	return &b, nil
}

const bookingColumns = `id, administration, day, minute, length, seat, ticket, account, person, case_id, number, procedure, sealed, state, changes, made_at`

func (w *Casework) bookings(ctx context.Context, where string, args ...any) ([]*Booking, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT `+bookingColumns+` FROM casework_booking WHERE `+where+` LIMIT 1000`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading appointments: %w", err)
	}
	defer rows.Close()
	var out []*Booking
	for rows.Next() {
		var b Booking
		var day string
		var made int64
		if err := rows.Scan(&b.ID, &b.Administration, &day, &b.Minute, &b.Length, &b.seat, &b.Ticket, &b.Account, &b.Person, &b.caseID, &b.Number, &b.Procedure, &b.sealed,
			&b.State, &b.Changes, &made); err != nil {
			return nil, err
		}
		b.Day, b.Made = dayOf(day), db.Time(made)
		out = append(out, &b)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, b := range out {
		name, err := w.sealer.Open(ctx, b.Person, bookingPlace(b.ID), b.sealed)
		if err == nil && len(name) > 0 {
			err = json.Unmarshal(name, &b.Name)
		}
		if err != nil && !problem.Is(err, problem.NotFound) {
			return nil, err
		}
	}
	return out, nil
}

// BookingsOf lists the appointments of an account, the latest first.
func (w *Casework) BookingsOf(ctx context.Context, account string) ([]*Booking, error) {
	return w.bookings(ctx, `account = $1 ORDER BY day DESC, minute DESC`, account)
}

// Agenda lists who comes to an office on a day, in order.
func (w *Casework) Agenda(ctx context.Context, administration string, day gov.Date) ([]*Booking, error) {
	return w.bookings(ctx, `administration = $1 AND day = $2 AND state <> 'cancelled' ORDER BY minute, seat`, administration, day.String())
}

// Booking returns an appointment to whose it is.
func (w *Casework) Booking(ctx context.Context, account, id string) (*Booking, error) {
	none := problem.New(problem.NotFound, "book.not_found")
	if !isID(id) {
		return nil, none
	}
	all, err := w.bookings(ctx, `id = $1 AND account = $2`, id, account)
	if err != nil || len(all) == 0 {
		return nil, errors.Join(err, none)
	}
	return all[0], nil
}

// Cancel gives up an appointment; its seat is free again.
func (w *Casework) Cancel(ctx context.Context, account, id string) error {
	b, err := w.Booking(ctx, account, id)
	if err != nil {
		return err
	}
	if b.Day.Before(w.today()) {
		return problem.New(problem.Conflict, "book.past")
	}
	return w.bookingIs(ctx, id, b.Administration, Cancelled)
}

// Attend writes who came to an office and who did not.
func (w *Casework) Attend(ctx context.Context, by gov.Actor, id string, came bool) error {
	if !isID(id) || !MayWork(by) {
		return problem.New(problem.NotFound, "book.not_found")
	}
	state := Missed
	if came {
		state = Came
	}
	return w.bookingIs(ctx, id, by.Administration, state)
}

func (w *Casework) bookingIs(ctx context.Context, id, administration, state string) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_booking SET state = $3, changes = changes + 1 WHERE id = $1 AND administration = $2 AND state IN ('booked', 'came', 'missed')`,
			id, administration, state)
		if err != nil {
			return fmt.Errorf("changing an appointment: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.New(problem.NotFound, "book.not_found"))
		}
		return nil
	})
}

// RemindBookings tells people of tomorrow's appointments, once, whether they belong
// to a case or not.
func (w *Casework) RemindBookings(ctx context.Context) error {
	list, err := w.bookings(ctx, `state = $1 AND day <= $2 AND day >= $3 AND NOT reminded ORDER BY day, minute`, Booked, w.today().AddDays(1).String(), w.today().String())
	if err != nil {
		return err
	}
	for _, b := range list {
		err := w.DB.RunTx(ctx, func(tx *db.Tx) error {
			r, err := tx.ExecContext(ctx, `UPDATE casework_booking SET reminded = TRUE WHERE id = $1 AND NOT reminded`, b.ID)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				return err
			}
			if b.Number == "" {
				return w.bookingNotice(ctx, tx, b)
			}
			c, err := caseByNumber(ctx, tx, b.Number)
			if errors.Is(err, sql.ErrNoRows) || problem.Is(err, problem.NotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			return w.putNotice(ctx, tx, c, b.Account, BookingSoon, c.Events)
		})
		if err != nil {
			return fmt.Errorf("reminding of an appointment: %w", err)
		}
	}
	return nil
}

// bookingNotice writes that somebody is to be reminded of an appointment that belongs
// to no case.
func (w *Casework) bookingNotice(ctx context.Context, tx *db.Tx, b *Booking) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_notice (id, administration, case_id, booking, seq, to_account, kind, made_at, sent_at, tries) VALUES ($1, $2, '', $3, 0, $4, $5, $6, 0, 0)`,
		gov.NewID(), b.Administration, b.ID, b.Account, BookingSoon, db.Micros(w.Clock.Now()))
	return err
}
