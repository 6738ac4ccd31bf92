package clock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"diwan/internal/gov"
)

// EventType says what happened in a case.
type EventType string

// The types of events.
const (
	Filed                EventType = "filed"
	Completed            EventType = "completed"
	InformationRequested EventType = "information_requested"
	InformationReceived  EventType = "information_received"
	DoubtRaised          EventType = "doubt_raised"
	DoubtSettled         EventType = "doubt_settled"
	DefectNotified       EventType = "defect_notified"
	DefectMended         EventType = "defect_mended"
	Extended             EventType = "extended"
	Granted              EventType = "granted"
	Refused              EventType = "refused"
	Withdrawn            EventType = "withdrawn"
	DeliveryRequested    EventType = "delivery_requested"
	Delivered            EventType = "delivered"
	Certified            EventType = "certified"
	Appealed             EventType = "appealed"
	AppealAnswered       EventType = "appeal_answered"
)

// EventTypes lists all types in the order in which a case may meet them.
func EventTypes() []EventType {
	return []EventType{Filed, Completed, InformationRequested, InformationReceived, DoubtRaised, DoubtSettled, DefectNotified,
		DefectMended, Extended, Granted, Refused, Withdrawn, DeliveryRequested, Delivered, Certified, Appealed, AppealAnswered}
}

// Answers to an appeal, as the reason of an AppealAnswered event. With another
// reason the event says that there was an answer, and not which.
const (
	AppealGranted   = "appeal_granted"   // the decision is to be changed
	AppealRefused   = "appeal_refused"   // it stays
	AppealWithdrawn = "appeal_withdrawn" // the person took the appeal back
)

// Event is one thing that happened, on a local day. For a request or a refusal
// the day is the one on which the person received it; for whatever the person
// does, the day on which the administration received it.
type Event struct {
	On   gov.Date  `json:"on"`
	Type EventType `json:"type"`
	// Complete says, of a filing, whether every document was there. Nil leaves it
	// open: then the file counts as complete unless a "completed" event follows.
	Complete *bool `json:"complete,omitempty"`
	// Days is the length of an extension.
	Days int `json:"days,omitempty"`
	// Reason is what the law wants stated: why a document is doubted or defective,
	// the ground of an extension, the reasons of a refusal.
	Reason string `json:"reason,omitempty"`
}

// Input is a case as the clock sees it.
type Input struct {
	// DeadlineDays is the deadline announced for the decision; 0 means at once.
	DeadlineDays int `json:"deadline_days"`
	// Lists names the official lists in which the decision stands.
	Lists []string `json:"lists,omitempty"`
	// Authority is the level that delivers the decision; empty is the default one.
	Authority string `json:"authority,omitempty"`
	// Holidays replaces those of the rules' calendar when it is not nil.
	Holidays []gov.Date `json:"holidays,omitempty"`
	// Settings switches readings of the law for this case.
	Settings map[string]bool `json:"settings,omitempty"`
	// Appeal says that the case is an appeal against another one: it has the period
	// of an answer to an appeal, and is answered or withdrawn. It is not a part of
	// the JSON.
	Appeal bool    `json:"-"`
	Events []Event `json:"events"`
	// AsOf is the day on which the question is asked. Later events are not looked
	// at; periods that have run out by then have had their effect.
	AsOf gov.Date `json:"as_of"`
}

// Bounds of what Read accepts.
const (
	MaxBytes    = 1 << 20
	MaxEvents   = 1024
	MaxHolidays = 20000
	maxReason   = 20000
	maxLists    = 64
	maxDepth    = 16
)

// Read reads the JSON of one case as `diwan clock` takes it. Unknown fields,
// types, lists, authorities and settings are errors that name the place; so are
// days that do not exist, and a name that stands twice.
func Read(r io.Reader, rules Rules) (Input, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Input{}, fmt.Errorf("reading the case: %w", err)
	}
	if len(b) > MaxBytes {
		return Input{}, fmt.Errorf("the case is larger than %d bytes", MaxBytes)
	}
	if err := noDoubles(b); err != nil {
		return Input{}, err
	}
	var wire struct {
		Input
		DeadlineDays *int `json:"deadline_days"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&wire); err != nil {
		return Input{}, fmt.Errorf("the case is not as expected: %w", plain(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Input{}, errors.New("something follows after the case")
	}
	if wire.DeadlineDays == nil {
		return Input{}, errors.New("deadline_days is missing: the announced deadline in days")
	}
	in := wire.Input
	in.DeadlineDays = *wire.DeadlineDays
	if err := in.check(rules); err != nil {
		return Input{}, err
	}
	return in, nil
}

// plain takes the names of Go types out of an error of encoding/json.
func plain(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s can't be a %s", strings.TrimPrefix(e.Field, "Input."), e.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// check finds what can't be asked, whoever asks. What the law does not allow is
// not an error: the clock lists it as rejected.
func (in Input) check(rules Rules) error {
	switch {
	case in.DeadlineDays < 0:
		return fmt.Errorf("deadline_days is %d: it can't be negative", in.DeadlineDays)
	case in.AsOf.IsZero():
		return errors.New("as_of is missing: the day on which the question is asked")
	case len(in.Events) > MaxEvents:
		return fmt.Errorf("there are %d events, more than %d", len(in.Events), MaxEvents)
	case len(in.Holidays) > MaxHolidays:
		return fmt.Errorf("there are %d holidays, more than %d", len(in.Holidays), MaxHolidays)
	case len(in.Lists) > maxLists:
		return fmt.Errorf("there are %d lists, more than %d", len(in.Lists), maxLists)
	}
	for i, l := range in.Lists {
		if _, ok := rules.Lists[l]; !ok {
			return fmt.Errorf("lists[%d]: there is no list %q; there are %s", i, l, names(rules.Lists))
		}
	}
	if _, ok := rules.Authorities[in.Authority]; !ok && in.Authority != "" {
		return fmt.Errorf("there is no authority %q; there are %s", in.Authority, names(rules.Authorities))
	}
	for i, h := range in.Holidays {
		if h.IsZero() {
			return fmt.Errorf("holidays[%d]: a day is missing", i)
		}
	}
	if _, err := rules.With(in.Settings); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	for i, e := range in.Events {
		if err := e.check(); err != nil {
			return fmt.Errorf("events[%d]: %w", i, err)
		}
	}
	return nil
}

func (e Event) check() error {
	switch {
	case e.Type == "":
		return errors.New("type is missing")
	case !slices.Contains(EventTypes(), e.Type):
		return fmt.Errorf("there is no type of event %q", e.Type)
	case e.On.IsZero():
		return fmt.Errorf("%s has no day: on is missing", e.Type)
	case e.Days > maxPeriod || e.Days < -maxPeriod:
		return fmt.Errorf("%s: %d days are too many", e.Type, e.Days)
	case len(e.Reason) > maxReason:
		return fmt.Errorf("%s: the reason is longer than %d bytes", e.Type, maxReason)
	}
	return nil
}

// names lists the keys of a map for a message.
func names[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// noDoubles refuses an object that has a name twice: which of the two holds
// would depend on the reader.
func noDoubles(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	type level struct {
		object, value bool
		seen          map[string]bool
	}
	var open []level
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the case is not JSON: %w", err)
		}
		top := len(open) - 1
		if s, ok := t.(string); ok && top >= 0 && open[top].object && !open[top].value {
			if open[top].seen[s] {
				return fmt.Errorf("%q stands twice in one object", s)
			}
			open[top].seen[s], open[top].value = true, true
			continue
		}
		if top >= 0 {
			open[top].value = false
		}
		if len(open) > maxDepth {
			return errors.New("the case is nested too deeply")
		}
		switch t {
		case json.Delim('{'):
			open = append(open, level{object: true, seen: map[string]bool{}})
		case json.Delim('['):
			open = append(open, level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:top]
		}
	}
}
