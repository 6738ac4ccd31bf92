package casework

import (
	"context"
	"sync"
	"testing"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

func TestBooking(t *testing.T) {
	eachDesk(t, func(w *world) {
		monday := Opening{Weekday: time.Monday, From: 9 * 60, To: 10 * 60, Slot: 20, Seats: 2}
		bad := monday
		bad.Slot = 90
		if err := w.AddOpening(t.Context(), boss, bad); code(err) != "book.opening" {
			t.Error(err)
		}
		if err := w.AddOpening(t.Context(), gov.Actor{ID: "x"}, monday); err == nil {
			t.Error("a stranger opened an office")
		}
		if err := w.AddOpening(t.Context(), boss, monday); err != nil {
			t.Fatal(err)
		}
		if err := w.AddOpening(t.Context(), boss, monday); code(err) != "book.opening_twice" {
			t.Error(err)
		}
		today := w.today() // a Monday, past nine
		if s, err := w.Slots(t.Context(), "commune", today); err != nil || len(s) != 0 {
			t.Error("slots that have passed:", s, err)
		}
		day := today.AddDays(7)
		if s, err := w.Slots(t.Context(), "commune", day); err != nil || len(s) != 3 || s[0].Free != 2 {
			t.Fatal(s, err)
		}
		if s, err := w.Slots(t.Context(), "commune", day.AddDays(1)); err != nil || len(s) != 0 {
			t.Error("slots on a day without opening:", s, err)
		}
		c := w.file()
		// Five want a slot of two seats at once.
		var all sync.WaitGroup
		var mu sync.Mutex
		var got []*Booking
		for _, who := range []string{"a", "b", "c", "d", "e"} {
			all.Go(func() {
				b := Booking{Administration: "commune", Day: day, Minute: 9 * 60, Account: who, Person: who, Procedure: "permit", Name: gov.Text{"fr": who}}
				if who == "a" {
					b.Number, b.caseID = c.Number, c.ID
				}
				done, err := w.Book(t.Context(), b)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got = append(got, done)
				case code(err) != "book.taken":
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(got) != 2 || got[0].Ticket == got[1].Ticket {
			t.Fatalf("%d got a seat", len(got))
		}
		if _, err := w.Booking(t.Context(), "nobody", got[0].ID); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else's appointment:", err)
		}
		list, err := w.Agenda(t.Context(), "commune", day)
		if err != nil || len(list) != 2 || list[0].Name["fr"] == "" {
			t.Error(list, err)
		}
		if err := w.Cancel(t.Context(), got[0].Account, got[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := w.Cancel(t.Context(), got[0].Account, got[0].ID); !problem.Is(err, problem.NotFound) {
			t.Error("cancelled twice:", err)
		}
		if s, err := w.Slots(t.Context(), "commune", day); err != nil || s[0].Free != 1 {
			t.Error("the seat is not free again:", s, err)
		}
		if err := w.Attend(t.Context(), other, got[1].ID, true); !problem.Is(err, problem.NotFound) {
			t.Error("another office wrote who came:", err)
		}
		if err := w.Attend(t.Context(), boss, got[1].ID, true); err != nil {
			t.Error(err)
		}
	})
}

func TestBookingIsRemindedOf(t *testing.T) {
	eachDesk(t, func(w *world) {
		if err := w.AddOpening(t.Context(), boss, Opening{Weekday: time.Monday, From: 540, To: 600, Slot: 20, Seats: 5}); err != nil {
			t.Fatal(err)
		}
		c := w.file()
		day := w.today().AddDays(7)
		for i := range maxBookings + 1 {
			_, err := w.Book(t.Context(), Booking{Administration: "commune", Day: day, Minute: 540, Account: salma.ID, Person: salma.ID, Number: c.Number, caseID: c.ID})
			if want := map[bool]string{true: "book.many"}[i == maxBookings]; code(err) != want {
				t.Error(i, err)
			}
		}
		remind := func(days, want int) {
			t.Helper()
			w.hand.days(days)
			for range 2 {
				if err := w.RemindBookings(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.notices(BookingSoon); len(got) != want {
				t.Errorf("%d reminders, want %d", len(got), want)
			}
		}
		remind(5, 0)
		remind(1, maxBookings)
	})
}

// An appointment that belongs to no case is reminded of too, once, and not when it was
// given up in the meantime.
func TestBookingWithoutACaseIsRemindedOf(t *testing.T) {
	eachDesk(t, func(w *world) {
		if err := w.AddOpening(t.Context(), boss, Opening{Weekday: time.Monday, From: 540, To: 600, Slot: 20, Seats: 5}); err != nil {
			t.Fatal(err)
		}
		day := w.today().AddDays(7)
		var made []*Booking
		for _, who := range []string{salma.ID, idris.ID} {
			b, err := w.Book(t.Context(), Booking{Administration: "commune", Day: day, Minute: 540, Account: who, Person: who, Procedure: "permit"})
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, b)
		}
		w.hand.days(6)
		for range 2 {
			if err := w.RemindBookings(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Cancel(t.Context(), idris.ID, made[1].ID); err != nil {
			t.Fatal(err)
		}
		c := w.file()
		var sent []Notice
		daily := func(context.Context, string) (bool, error) { return true, nil } // a reminder does not wait for the day after
		for range 2 {
			err := w.SendNotices(t.Context(), daily, func(_ context.Context, list []Notice) error {
				sent = append(sent, list...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(sent) != 2 { // with what waited: the receipt of the case
			t.Fatalf("%+v", sent)
		}
		for _, n := range sent {
			if n.To != salma.ID || (n.Case == nil) == (n.Booking == nil) || n.Case != nil && n.Case.Number != c.Number || n.Booking != nil && (n.Booking.ID != made[0].ID || n.Kind != BookingSoon) {
				t.Errorf("%+v", n)
			}
		}
		files, err := w.exportNotices(t.Context(), salma.ID)
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		var n int
		if err := w.DB.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM casework_notice WHERE to_account = $1`, idris.ID).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d notices of an appointment that was given up, %v", n, err)
		}
	})
}
