package gov

import (
	"testing"
	"time"
)

func day(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// The four worked examples of the statutory clock, with and without the roll.
func TestLast(t *testing.T) {
	weekend := map[time.Weekday]bool{time.Saturday: true, time.Sunday: true}
	tests := []struct {
		from string
		days int
		cal  Calendar
		want string
	}{
		{"2026-03-02", 2, Calendar{Full: true, Roll: true, Weekend: weekend}, "2026-03-05"},
		{"2026-03-02", 5, Calendar{Full: true, Roll: true, Weekend: weekend}, "2026-03-09"},
		{"2026-03-02", 5, Calendar{Full: true, Weekend: weekend}, "2026-03-08"},
		{"2026-03-02", 30, Calendar{Full: true, Roll: true, Weekend: weekend}, "2026-04-02"},
		{"2026-03-02", 60, Calendar{Full: true, Roll: true, Weekend: weekend}, "2026-05-04"},
		{"2026-03-02", 0, Calendar{Full: true, Roll: true, Weekend: weekend}, "2026-03-02"},
		{"2026-03-02", 2, Calendar{Weekend: weekend, Roll: true}, "2026-03-04"},
		{"2026-03-02", 2, Calendar{Full: true, Roll: true, Weekend: weekend, Holidays: map[Date]Text{day("2026-03-05"): {}, day("2026-03-06"): {}}}, "2026-03-09"},
	}
	for _, tt := range tests {
		if got := tt.cal.Last(day(tt.from), tt.days); got.String() != tt.want {
			t.Errorf("Last(%s, %d) = %s, want %s", tt.from, tt.days, got, tt.want)
		}
	}
}

// Days are counted by the calendar, not by the clock: a night when clocks change
// is a day like any other.
func TestDaysAcrossClockChanges(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	d := DateOf(time.Date(2026, 3, 28, 23, 30, 0, 0, zone), zone)
	if got := d.AddDays(2); got.String() != "2026-03-30" {
		t.Errorf("two days later is %s", got)
	}
	if DateOf(time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC), zone).String() != "2026-03-29" {
		t.Error("the local day is not the UTC day")
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{"", "2026-02-30", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %v", s, d)
		}
	}
}

func TestTextFallsBackInOrder(t *testing.T) {
	x := Text{"fr": "f", "en": "e"}
	for _, tt := range []struct {
		want  Lang
		order []Lang
		s     string
		l     Lang
	}{
		{"en", []Lang{"ar", "fr"}, "e", "en"}, {"zgh", []Lang{"ar", "fr", "en"}, "f", "fr"}, {"zgh", nil, "", ""},
	} {
		if s, l := x.In(tt.want, tt.order); s != tt.s || l != tt.l {
			t.Errorf("In(%s, %v) = %q, %q", tt.want, tt.order, s, l)
		}
	}
	if s, _ := (Text{"": "id-7"}).In("ar", []Lang{"fr"}); s != "id-7" {
		t.Errorf("an identifier reads %q", s)
	}
}

func TestAddress(t *testing.T) {
	a := Address("/akn/xl/act/law/2021/7#art_9")
	if a.Work() != "/akn/xl/act/law/2021/7" || a.Article() != "art_9" || a.Work().Article() != "" {
		t.Errorf("%q, %q", a.Work(), a.Article())
	}
}
