package oauth

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
)

// Date is a moment in a signed text: seconds since 1970 (RFC 7519 §2, NumericDate). It
// is written as an integer; a fraction is accepted and kept to the millisecond. With
// omitzero the zero moment is left out, and a moment that is missing reads as zero.
type Date struct{ time.Time }

// At returns a moment as a date, to the second.
func At(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return Date{t.Truncate(time.Second).UTC()}
}

// maxSeconds is the year 9999: beyond it sums of moments and durations overflow.
const maxSeconds = 253402300799

// MarshalJSON writes whole seconds.
func (d Date) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, d.Unix(), 10), nil
}

// UnmarshalJSON reads a number of seconds from 1970 to the year 9999.
func (d *Date) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil || string(b) == "null" {
		return errors.New("a moment is a number of seconds")
	}
	if f < 0 || f > maxSeconds {
		return errors.New("a moment lies between 1970 and the year 9999")
	}
	d.Time = time.UnixMilli(int64(math.Floor(f * 1000))).UTC()
	return nil
}

// Window is how far the moment at which something was signed may lie from now. The
// zero value is five minutes back and one minute ahead, for clocks that differ.
type Window struct{ Past, Future time.Duration }

// Widths of the zero [Window].
const (
	defaultPast   = 5 * time.Minute
	defaultFuture = time.Minute
)

// Holds tells whether a moment lies in the window around now.
func (w Window) Holds(now, at time.Time) bool {
	w = w.filled()
	return !at.IsZero() && !at.Before(now.Add(-w.Past)) && !at.After(now.Add(w.Future))
}

// End returns until when something signed at a moment is accepted, so how long it must
// be remembered for it not to be accepted twice.
func (w Window) End(at time.Time) time.Time { return at.Add(w.filled().Past) }

func (w Window) filled() Window {
	if w.Past == 0 {
		w.Past = defaultPast
	}
	if w.Future == 0 {
		w.Future = defaultFuture
	}
	return w
}
