package document

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"diwan/internal/gov"
)

// Entry is something in a calendar: an appointment, or a last day.
type Entry struct {
	ID      string // unique in the world and for good, such as an id with the host
	Made    time.Time
	Changed int // how often it was changed
	// Day makes an entry of a whole day; otherwise From and To are its hours.
	Day      gov.Date
	From, To time.Time
	// Nothing that tells others what the matter is belongs into Summary: calendars
	// are shared.
	Summary, Place, Text, Address string
	Cancelled                     bool
	// Remind is how long before it the calendar reminds; 0 is never.
	Remind time.Duration
}

// ICS writes a calendar file (RFC 5545) of entries.
func ICS(entries ...Entry) ([]byte, error) {
	var b strings.Builder
	line(&b, "BEGIN:VCALENDAR")
	line(&b, "VERSION:2.0")
	line(&b, "PRODID:-//Diwan//Diwan//EN")
	line(&b, "METHOD:PUBLISH")
	for _, e := range entries {
		if e.ID == "" || e.Made.IsZero() || e.Summary == "" || e.Day.IsZero() && !e.From.Before(e.To) {
			return nil, errors.New("an entry of a calendar needs an id, a time and a title")
		}
		e.write(&b)
	}
	line(&b, "END:VCALENDAR")
	return []byte(b.String()), nil
}

func (e *Entry) write(b *strings.Builder) {
	const stamp = "20060102T150405Z"
	line(b, "BEGIN:VEVENT")
	line(b, "UID:"+escape(e.ID))
	line(b, "DTSTAMP:"+e.Made.UTC().Format(stamp))
	line(b, fmt.Sprintf("SEQUENCE:%d", e.Changed))
	if e.Day.IsZero() {
		line(b, "DTSTART:"+e.From.UTC().Format(stamp))
		line(b, "DTEND:"+e.To.UTC().Format(stamp))
	} else {
		line(b, "DTSTART;VALUE=DATE:"+strings.ReplaceAll(e.Day.String(), "-", ""))
		line(b, "DTEND;VALUE=DATE:"+strings.ReplaceAll(e.Day.AddDays(1).String(), "-", ""))
		line(b, "TRANSP:TRANSPARENT")
	}
	line(b, "SUMMARY:"+escape(e.Summary))
	for _, kv := range [][2]string{{"LOCATION", escape(e.Place)}, {"DESCRIPTION", escape(e.Text)}, {"URL", clean(strings.ReplaceAll(e.Address, "\n", ""))}} {
		if kv[1] != "" {
			line(b, kv[0]+":"+kv[1])
		}
	}
	if e.Cancelled {
		line(b, "STATUS:CANCELLED")
	}
	if e.Remind > 0 {
		line(b, "BEGIN:VALARM")
		line(b, "ACTION:DISPLAY")
		line(b, "DESCRIPTION:"+escape(e.Summary))
		line(b, fmt.Sprintf("TRIGGER:-PT%dM", int(e.Remind.Minutes())))
		line(b, "END:VALARM")
	}
	line(b, "END:VEVENT")
}

// escape writes text as RFC 5545 §3.3.11 wants it.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(clean(s))
}

// line writes a line, folded at 75 bytes between characters (RFC 5545 §3.1).
func line(b *strings.Builder, s string) {
	for room := 75; len(s) > room; room = 74 {
		n := room
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n] + "\r\n ")
		s = s[n:]
	}
	b.WriteString(s + "\r\n")
}
