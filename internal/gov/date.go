package gov

import (
	"fmt"
	"time"
)

// Date is a day of the civil calendar, without hours and without a zone: legal
// periods are counted in local days, never in spans of 24 hours, which differ
// when the clocks change.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the local day on which t falls in zone.
func DateOf(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

// ParseDate reads "2006-01-02" and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return Date{}, fmt.Errorf("date %q is not a day written as year-month-day", s)
	}
	return DateOf(t, time.UTC), nil
}

// IsZero reports whether no day was set.
func (d Date) IsZero() bool { return d == Date{} }

// String writes the day as 2006-01-02.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// AddDays returns the day n days later, earlier when n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.noon().AddDate(0, 0, n), time.UTC) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.noon().Weekday() }

// Before reports whether d comes before e.
func (d Date) Before(e Date) bool { return d.noon().Before(e.noon()) }

// noon stands in the middle of the day so that no arithmetic can leave it.
func (d Date) noon() time.Time { return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC) }

// MarshalText writes 2006-01-02, or nothing for no day.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = p
	return nil
}

// Calendar is what a country adds to bare days: its zone, its weekend and its
// public holidays.
type Calendar struct {
	Zone     *time.Location
	Weekend  map[time.Weekday]bool
	Holidays map[Date]Text
	// Roll moves a last day that is not a working day to the next working day.
	Roll bool
	// Full says that neither the day of the event nor the last day counts.
	Full bool
}

// Working reports whether offices are open on d.
func (c Calendar) Working(d Date) bool {
	_, holiday := c.Holidays[d]
	return !holiday && !c.Weekend[d.Weekday()]
}

// Last returns the last day of a period of days that starts with an event on
// from. With Full periods that is one day after the days counted; with Roll it
// is never a day on which the office is closed. An answer on the last day is in
// time; what follows from silence begins the day after.
func (c Calendar) Last(from Date, days int) Date {
	if days <= 0 {
		return from
	}
	last := from.AddDays(days)
	if c.Full {
		last = last.AddDays(1)
	}
	for range 366 {
		if !c.Roll || c.Working(last) {
			break
		}
		last = last.AddDays(1)
	}
	return last
}
