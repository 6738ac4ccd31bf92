package casework

import (
	"context"
	"fmt"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Rating is what a person says of how their case went. The remark is for the
// administration alone; of the numbers only sums are published.
type Rating struct {
	Number string
	Stars  int // 1 to 5
	Remark string
	On     gov.Date
}

// maxRemark bounds a remark, in bytes.
const maxRemark = 4000

// rateable tells whether a case has come to something that can be judged.
func rateable(s clock.State) bool {
	return !s.Pending() && s != clock.Draft && s != clock.FiledIncomplete
}

// Rateable tells whether the applicant may say how it went.
func (v *View) Rateable() bool { return rateable(v.Out.State) }

func ratingPlace(c *Case) string { return "rating " + c.ID }

// Rate keeps what the applicant says of their case, in the place of what they said
// before.
func (w *Casework) Rate(ctx context.Context, actor gov.Actor, number string, stars int, remark string) error {
	c, err := w.Find(ctx, actor, number)
	if err != nil {
		return err
	}
	remark = form.Clean(remark, true)
	switch {
	case roleOf(actor) != AsPerson:
		return problem.New(problem.Forbidden, "forbidden")
	case !rateable(c.State):
		return problem.New(problem.Conflict, "rating.early")
	case stars < 1 || stars > 5:
		return problem.New(problem.Invalid, "rating.stars")
	case len(remark) > maxRemark:
		return problem.New(problem.Invalid, "case.text_too_long")
	}
	sealed := []byte{}
	if remark != "" {
		if sealed, err = w.sealer.Seal(ctx, c.Person, ratingPlace(c), []byte(remark)); err != nil {
			return err
		}
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_rating (administration, case_id, person, number, procedure, stars, remark, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (administration, case_id) DO UPDATE SET stars = excluded.stars, remark = excluded.remark, at = excluded.at`,
			c.Administration, c.ID, c.Person, c.Number, c.Procedure, stars, sealed, db.Micros(w.Clock.Now()))
		if err != nil {
			return fmt.Errorf("keeping a rating: %w", err)
		}
		return nil
	})
}

// Ratings lists what people said of the cases of an officer's administration, the
// latest first. A remark of somebody who was forgotten is empty.
func (w *Casework) Ratings(ctx context.Context, by gov.Actor) (list []Rating, err error) {
	return w.ratings(ctx, by, `administration = $1 ORDER BY at DESC LIMIT 200`, by.Administration)
}

func (w *Casework) ratings(ctx context.Context, by gov.Actor, where string, args ...any) (list []Rating, err error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT administration, case_id, person, number, stars, remark, at FROM casework_rating WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing ratings: %w", err)
	}
	defer rows.Close()
	type row struct {
		Rating
		c      Case
		sealed []byte
	}
	var found []row
	for rows.Next() {
		var r row
		var at int64
		if err := rows.Scan(&r.c.Administration, &r.c.ID, &r.c.Person, &r.Number, &r.Stars, &r.sealed, &at); err != nil {
			return nil, err
		}
		r.On = gov.DateOf(db.Time(at), w.Country.Zone())
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, r := range found {
		if err := w.May(ctx, by, MayRead, &r.c); err != nil {
			continue
		}
		b, err := w.sealer.Open(ctx, r.c.Person, ratingPlace(&r.c), r.sealed)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return nil, err
		}
		r.Remark = string(b)
		list = append(list, r.Rating)
	}
	return list, nil
}
