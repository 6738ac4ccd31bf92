package clock

import (
	"time"

	"diwan/internal/gov"
)

// day is a local day as the number of days since 1 January 1970, so that a sweep
// over many cases adds and compares without a calendar.
type day int32

// never stands for a day that will not come.
const never = day(-1 << 31)

// dayOf numbers a date of the proleptic Gregorian calendar. The year is taken to
// begin in March, which puts the leap day at its end.
func dayOf(d gov.Date) day {
	if d.IsZero() {
		return never
	}
	y, m := d.Year, int(d.Month)
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	dayOfYear := (153*(m-3)+2)/5 + d.Day - 1
	return day(era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468)
}

// date is the inverse of dayOf; never is the zero date.
func (n day) date() gov.Date {
	if n == never {
		return gov.Date{}
	}
	z := int(n) + 719468
	era := floorDiv(z, 146097)
	dayOfEra := z - era*146097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	month := (5*dayOfYear + 2) / 153
	d := gov.Date{Year: yearOfEra + era*400, Month: time.Month(month + 3), Day: dayOfYear - (153*month+2)/5 + 1}
	if month >= 10 {
		d.Month, d.Year = d.Month-12, d.Year+1
	}
	return d
}

func (n day) weekday() time.Weekday { return time.Weekday(((int(n)+4)%7 + 7) % 7) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// calendar says on which days offices are closed.
type calendar struct {
	weekend  [7]bool
	holidays map[day]bool
}

// maxRoll bounds the search for a working day: a calendar that closes every day
// of a year is a mistake, not a reason to look on.
const maxRoll = 366

// working returns the first working day from d on. Weekends count as closed only
// when the reading of the law says so.
func (c calendar) working(d day, weekends bool) day {
	for range maxRoll {
		if !c.holidays[d] && (!weekends || !c.weekend[d.weekday()]) {
			break
		}
		d++
	}
	return d
}

// last returns the last day of a period of n days that starts with an event on
// from: the counted days are from+1 to from+n, and with full periods the last
// day is the one after them.
func (m *machine) last(from day, n int) day { return m.roll(m.bare(from, n)) }

// bare is last without the move to a working day.
func (m *machine) bare(from day, n int) day {
	d := from + day(n)
	if m.sw[fullPeriods] {
		d++
	}
	return d
}

func (m *machine) roll(d day) day {
	if !m.sw[roll] {
		return d
	}
	return m.cal.working(d, m.sw[rollWeekend])
}
