package clock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"diwan/internal/gov"
)

// Status says how sure a number or a reading is.
type Status string

// The statuses.
const (
	Text           Status = "text"           // it stands in the official text
	Interpretation Status = "interpretation" // a reading that a lawyer may change
	Unverified     Status = "unverified"     // nobody has checked it
)

// Rules are what a country's law says about the clock. They are loaded once and
// never change; all methods may be called by several goroutines.
type Rules struct {
	// Periods holds the periods by name. "complete", "replace", "processing",
	// "fetch_failed", "delivery", "appeal" and "appeal_answer" must be there;
	// authorities name others. "processing" has the longest deadline that may be
	// announced, the others their length.
	Periods map[string]Period `json:"periods"`
	// Lists holds the official lists a decision may stand in.
	Lists map[string]List `json:"lists"`
	// Authorities holds the levels of administration, and who is above them.
	Authorities map[string]Authority `json:"authorities"`
	// Authority is the level meant when an input names none.
	Authority string `json:"default_authority"`
	// Articles maps a rule to the address where it stands; see articleNames.
	Articles map[string]gov.Address `json:"articles"`
	// ExtensionReasons maps the grounds of an extension to the words, in lower
	// case, by which a stated reason is recognised.
	ExtensionReasons map[string][]string `json:"extension_reasons"`
	// Settings holds the readings of the law, by name; see settingNames.
	Settings map[string]Setting `json:"settings"`

	sw  switches
	cal calendar
}

// Period is one period of the law, in full days.
type Period struct {
	Days    int         `json:"days"`
	Article gov.Address `json:"article"`
	// Starts and Actor say in words what begins it and who must act.
	Starts gov.Text `json:"starts"`
	Actor  gov.Text `json:"actor"`
	Status Status   `json:"status"`
}

// List is what standing in an official list means.
type List struct {
	// MaxDays caps the announced deadline below that of all decisions; 0 does not.
	MaxDays int `json:"max_days,omitempty"`
	// Extends allows the one extension.
	Extends bool `json:"extends,omitempty"`
	// Approves makes silence approval.
	Approves bool        `json:"approves,omitempty"`
	Article  gov.Address `json:"article"`
}

// Authority is a level of administration.
type Authority struct {
	Name gov.Text `json:"name"`
	// Escalation names the period in which the authority above acts when a decision
	// approved by silence is not delivered.
	Escalation   string   `json:"escalation"`
	EscalationTo gov.Text `json:"escalation_to"`
	// EscalationAbove says that this is the administration above, Certifies that it
	// certifies the silence, in the place of the decision.
	EscalationAbove bool     `json:"escalation_above,omitempty"`
	Certifies       bool     `json:"certifies,omitempty"`
	AppealTo        gov.Text `json:"appeal_to"`
	// AppealAbove says that the administration above hears appeals, and not the one
	// that decided.
	AppealAbove bool `json:"appeal_above,omitempty"`
	// Referral names the period after an appeal without answer goes to another
	// authority; empty when it goes nowhere.
	Referral   string   `json:"referral,omitempty"`
	ReferralTo gov.Text `json:"referral_to,omitempty"`
	// ReferralAbove says that this is the administration above.
	ReferralAbove bool `json:"referral_above,omitempty"`
}

// Setting is one reading of the law that can be switched.
type Setting struct {
	Value   bool     `json:"value"`
	Status  Status   `json:"status"`
	Reading gov.Text `json:"reading"` // what true and false mean
	Source  gov.Text `json:"source"`  // why the value is what it is
}

// The readings that the clock knows, by their place in switches.
const (
	fullPeriods         = iota // neither the day of the event nor the last day counts
	roll                       // a last day on which offices are closed moves to the next working day
	rollWeekend                // and so does one that falls on a weekend
	requestDayCounts           // the day of a request that suspends is a day used
	completionDayCounts        // the day of the answer to it is the first day counted again
	halfFixed                  // the end of the first half does not move with suspensions
	halfRoundUp                // the half of an odd number of days is rounded up
	silenceFromExtended        // silence counts from the extended day, not from the first
	extensionFromLast          // an extension is counted from the last day, not from the start
	appealFromSilence          // the appeal against silence counts from the day after the last day
	automaticReferral          // what the authority above must do begins without another act of the user
	lateDecision               // a decision may still be taken when silence is no approval
	settingCount
)

type switches [settingCount]bool

var settingNames = [settingCount]string{"full_periods", "roll", "roll_weekend", "request_day_counts", "completion_day_counts",
	"half_fixed", "half_round_up", "silence_from_extended", "extension_from_last_day", "appeal_from_silence", "automatic_referral", "late_decision"}

// Settings returns the names of all readings, in a fixed order.
func Settings() []string { return slices.Clone(settingNames[:]) }

var periodNames = []string{"complete", "replace", "processing", "fetch_failed", "delivery", "appeal", "appeal_answer"}

// articleNames are the rules that explanations name.
var articleNames = []string{"filing", "processing", "full_periods", "information", "doubt", "defect", "half", "extension", "reasons",
	"silence", "delivery", "escalation", "appeal", "referral"}

// maxPeriod bounds every number of days in rules and input, so that no sum of
// days leaves the calendar.
const maxPeriod = 3660

// Load reads the rules of a country. A name that the clock does not know, or
// lacks, is an error: a reading must not be silently without effect.
func Load(b []byte) (Rules, error) {
	var r Rules
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("reading the rules of the clock: %w", err)
	}
	if d.More() {
		return Rules{}, errors.New("reading the rules of the clock: more than one value")
	}
	if err := r.Init(); err != nil {
		return Rules{}, err
	}
	return r, nil
}

// Init checks rules that were read in another way and prepares them.
func (r *Rules) Init() error {
	for _, n := range periodNames {
		if _, ok := r.Periods[n]; !ok {
			return fmt.Errorf("rules of the clock: there is no period %q", n)
		}
	}
	for n, p := range r.Periods {
		if p.Days < 1 || p.Days > maxPeriod {
			return fmt.Errorf("rules of the clock: the period %q has %d days", n, p.Days)
		}
	}
	for _, n := range articleNames {
		if r.Articles[n] == "" {
			return fmt.Errorf("rules of the clock: no article for %q", n)
		}
	}
	if _, ok := r.Authorities[r.Authority]; !ok {
		return fmt.Errorf("rules of the clock: the default authority %q is not described", r.Authority)
	}
	for n, a := range r.Authorities {
		for _, p := range []string{a.Escalation, a.Referral} {
			if _, ok := r.Periods[p]; !ok && (p != "" || a.Escalation == "") {
				return fmt.Errorf("rules of the clock: authority %q names the period %q, which is not there", n, p)
			}
		}
	}
	sw := switches{}
	for i, n := range settingNames {
		s, ok := r.Settings[n]
		if !ok {
			return fmt.Errorf("rules of the clock: no setting %q", n)
		}
		sw[i] = s.Value
	}
	for n := range r.Settings {
		if !slices.Contains(settingNames[:], n) {
			return fmt.Errorf("rules of the clock: no setting is called %q; there are %s", n, strings.Join(settingNames[:], ", "))
		}
	}
	r.sw = sw
	return nil
}

// In returns the rules in a calendar: its weekend and its holidays. Rules that
// were never given one know neither.
func (r Rules) In(c gov.Calendar) Rules {
	cal := calendar{holidays: make(map[day]bool, len(c.Holidays))}
	for w, closed := range c.Weekend {
		cal.weekend[w] = closed
	}
	for d := range c.Holidays {
		cal.holidays[dayOf(d)] = true
	}
	r.cal = cal
	return r
}

// With returns the rules with some readings switched.
func (r Rules) With(settings map[string]bool) (Rules, error) {
	for _, n := range slices.Sorted(maps.Keys(settings)) {
		i := slices.Index(settingNames[:], n)
		if i < 0 {
			return Rules{}, fmt.Errorf("no setting is called %q; there are %s", n, strings.Join(settingNames[:], ", "))
		}
		r.sw[i] = settings[n]
	}
	return r, nil
}

// On reports the value of a reading by its name.
func (r Rules) On(setting string) bool {
	i := slices.Index(settingNames[:], setting)
	return i >= 0 && r.sw[i]
}

// MaxDays returns the longest deadline that may be announced for a decision that
// stands in these lists, and the article that says so.
func (r Rules) MaxDays(lists []string) (int, gov.Address) {
	p := r.Periods["processing"]
	days, article := p.Days, p.Article
	for _, n := range lists {
		if l := r.Lists[n]; l.MaxDays > 0 && l.MaxDays < days {
			days, article = l.MaxDays, l.Article
		}
	}
	return days, article
}

// ground returns which ground of an extension a stated reason names, "" when it
// names none.
func (r Rules) ground(reason string) string {
	words := strings.FieldsFunc(strings.ToLower(reason), func(c rune) bool { return strings.ContainsRune(" \t\r\n_-.,;:!?()'\"/\u2019\u060c", c) })
	for _, g := range slices.Sorted(maps.Keys(r.ExtensionReasons)) {
		for _, w := range r.ExtensionReasons[g] {
			if slices.Contains(words, w) {
				return g
			}
		}
	}
	return ""
}
