package casework

import (
	"context"
	"errors"
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// registerMore adds the pages beside the inbox, each behind the same door.
func (d *Desk) registerMore(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /office/opinions":               d.opinions,
		"GET /office/opinions/{id}":          d.opinion,
		"POST /office/opinions/{id}":         d.giveOpinion,
		"POST /office/cases/{number}/advice": d.askOpinion,
		"GET /office/above":                  d.aboveList,
		"GET /office/above/{number}":         d.aboveCase,
		"POST /office/above/{number}":        d.aboveAct,
		"GET /office/team":                   d.team,
		"POST /office/team":                  d.changeTeam,
		"POST /office/views":                 d.saveView,
		"GET /office/payments":               d.payments,
		"GET /office/letters":                d.letters,
		"POST /office/letters":               d.changeLetters,
		"GET /office/cases/{number}/letter":  d.write,
		"POST /office/cases/{number}/letter": d.send,
		"GET /office/agenda":                 d.agenda,
		"POST /office/agenda":                d.changeAgenda,
		"POST /office/payments":              d.changePayment,
		"POST /office/cases/{number}/fee":    d.setFee,
	} {
		mux.HandleFunc(pattern, d.behind(handler))
	}
}

// behind keeps those out who don't work on cases.
func (d *Desk) behind(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !MayWork(d.Actor(r)) {
			d.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
			return
		}
		handler(w, r)
	}
}

// posted reads what a page posted; false means that the answer is written.
func (d *Desk) posted(w http.ResponseWriter, r *http.Request) bool {
	if err := r.ParseForm(); err != nil {
		d.Site.Fail(w, r, tooLarge(err))
		return false
	}
	return true
}

// deskPage is what every page of the desk shows beside its own.
type deskPage struct {
	Who   gov.Actor
	Saved bool
	Error string
}

func (d *Desk) page(r *http.Request, wrong string) deskPage {
	return deskPage{Who: d.Actor(r), Saved: r.URL.Query().Get("saved") == "1", Error: wrong}
}

// Chores does what the desk's own days ask for: it reminds of opinions, and moves
// the cases of those who leave or come back. It is called every few minutes and
// may run on several copies of the program at once.
func (w *Casework) Chores(ctx context.Context) error {
	return errors.Join(w.RemindOpinions(ctx), w.KeepAbsences(ctx), w.forgetPresent(ctx), w.SendRefunds(ctx), w.RemindBookings(ctx), w.FindAbove(ctx), w.SealHooks(ctx))
}
