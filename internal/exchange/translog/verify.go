package translog

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"diwan/internal/exchange/translog/stamp"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Outcome is what came of a check.
type Outcome string

const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// Absent means that the bundle lacks what is checked and that the reader
	// does not ask for it.
	Absent Outcome = "absent"
	// Skipped means that a check before it failed, without which it says nothing.
	Skipped Outcome = "skipped"
)

// The checks, in the order in which they are made.
const (
	// CheckFormat: the bundle is of a known format and within bounds.
	CheckFormat = "format"
	// CheckRecord: the record can be read and is signed as it should be; what it
	// says is in the facts. The caller's function decides.
	CheckRecord = "record"
	// CheckEntry: the SHA-256 of the record, which is its entry in the log.
	CheckEntry = "entry"
	// CheckLog: the checkpoint is signed by the log of the member.
	CheckLog = "log_signature"
	// CheckInclusion: the entry is in the log at the checkpoint.
	CheckInclusion = "inclusion"
	// CheckWitnesses: enough witnesses cosigned the checkpoint.
	CheckWitnesses = "witnesses"
	// CheckStamp: a trusted authority stamped the checkpoint.
	CheckStamp = "time_stamp"
)

// Fact is something that a check established or compared. Names are stable, like
// the codes of checks; the words for them are the caller's.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Check is one step of a verification.
type Check struct {
	Code    string  `json:"code"`
	Outcome Outcome `json:"outcome"`
	Facts   []Fact  `json:"facts,omitempty"`
	// Detail is why the check failed, in technical terms.
	Detail string `json:"detail,omitempty"`
}

// Trust is what a reader believes before reading a bundle. It comes from the
// directory, or from wherever a court accepts keys from, never from the bundle.
type Trust struct {
	// Log is the key of the member's log (LogKey).
	Log string
	// Witnesses are keys (WitnessKey) of parties that are independent of the
	// member; Need is how many of them must have cosigned.
	Witnesses []string
	Need      int
	// Stamps is the trust in time-stamp authorities; NeedStamp makes a bundle
	// without a stamp fail.
	Stamps    stamp.Trust
	NeedStamp bool
	// Record reads the record and checks its own signature. It returns what the
	// record says; an error means that the record is not what it should be.
	Record func(record []byte) ([]Fact, error)
}

// Verify makes all checks on a bundle, in order. The bundle is proven when Proven
// says so of the list.
func Verify(b *Bundle, t Trust) []Check {
	v := &verification{b: b, t: t}
	v.format()
	v.record()
	v.entry()
	v.logSignature()
	v.inclusion()
	v.witnesses()
	v.timeStamp()
	return v.checks
}

// Proven reports whether no check failed.
func Proven(checks []Check) bool {
	for _, c := range checks {
		if c.Outcome == Failed || c.Outcome == Skipped {
			return false
		}
	}
	return len(checks) > 0
}

type verification struct {
	b      *Bundle
	t      Trust
	checks []Check
	// at is the checkpoint once the log's signature held, text what was signed.
	at   *Checkpoint
	text string
	key  note.Verifier
}

func (v *verification) note(code string, err error, facts ...Fact) {
	c := Check{Code: code, Outcome: Passed, Facts: facts}
	if err != nil {
		c.Outcome, c.Detail = Failed, err.Error()
	}
	v.checks = append(v.checks, c)
}

func (v *verification) leave(code string, o Outcome) {
	v.checks = append(v.checks, Check{Code: code, Outcome: o})
}

func (v *verification) format() {
	var err error
	b := v.b
	switch {
	case b.Format != BundleFormat:
		err = ErrBundle
	case len(b.Record) == 0 || len(b.Record) > MaxBundle, b.Index < 0 || b.Index >= MaxSize,
		len(b.Checkpoint) > MaxCheckpoint, len(b.Cosignatures) > 100, len(b.Stamp) > stamp.MaxAnswer:
		err = errors.New("a part is missing or out of bounds")
	}
	v.note(CheckFormat, err, Fact{"format", b.Format[:min(len(b.Format), 64)]})
}

func (v *verification) record() {
	if v.t.Record == nil {
		v.note(CheckRecord, errors.New("nothing to read records with"))
		return
	}
	facts, err := v.t.Record(v.b.Record)
	v.note(CheckRecord, err, facts...)
}

func (v *verification) entry() {
	e := EntryOf(v.b.Record)
	leaf := e.leaf()
	v.note(CheckEntry, nil, Fact{"sha256", hex.EncodeToString(e[:])}, Fact{"leaf", hex.EncodeToString(leaf[:])})
}

func (v *verification) logSignature() {
	key, err := ParseLogKey(v.t.Log)
	if err != nil {
		v.note(CheckLog, err)
		return
	}
	c, text, err := OpenCheckpoint([]byte(v.b.Checkpoint), key)
	if err != nil {
		v.note(CheckLog, err)
		return
	}
	facts := []Fact{{"origin", c.Origin}, {"size", strconv.FormatInt(c.Size, 10)}, {"root", base64Of(c.Root[:])}}
	// A key speaks for the log it is named after and for no other.
	if c.Origin != key.Name() {
		v.note(CheckLog, errors.New("the checkpoint is of another log than the key"), facts...)
		return
	}
	v.at, v.text, v.key = &c, text, key
	v.note(CheckLog, nil, facts...)
}

func (v *verification) inclusion() {
	if v.at == nil {
		v.leave(CheckInclusion, Skipped)
		return
	}
	facts := []Fact{{"index", strconv.FormatInt(v.b.Index, 10)}, {"hashes", strconv.Itoa(len(v.b.Inclusion))}}
	p, err := v.b.proof()
	if err == nil {
		err = tlog.CheckRecord(p, v.at.Size, v.at.Root, v.b.Index, EntryOf(v.b.Record).leaf())
	}
	v.note(CheckInclusion, err, facts...)
}

func (v *verification) witnesses() {
	if v.at == nil {
		v.leave(CheckWitnesses, Skipped)
		return
	}
	facts, n, err := v.cosigned()
	switch {
	case err != nil:
		v.note(CheckWitnesses, err, facts...)
	case n < v.t.Need:
		v.note(CheckWitnesses, errors.New(strconv.Itoa(n)+" of "+strconv.Itoa(v.t.Need)+" cosignatures"), facts...)
	case n == 0:
		v.leave(CheckWitnesses, Absent)
	default:
		v.note(CheckWitnesses, nil, facts...)
	}
}

// cosigned counts witnesses by their keys: one key under two names is one
// witness, and the log's own key is none.
func (v *verification) cosigned() (facts []Fact, n int, err error) {
	counted := map[string]bool{}
	if k, ok := v.key.(*logKey); ok {
		counted[string(k.pub)] = true
	}
	for _, s := range v.t.Witnesses {
		k, err := parseWitnessKey(s)
		if err != nil {
			return facts, n, err
		}
		for _, l := range v.b.Cosignatures {
			at, err := k.verify(strings.TrimSuffix(l, "\n")+"\n", v.text)
			if err != nil || counted[string(k.pub)] {
				continue
			}
			counted[string(k.pub)] = true
			n++
			facts = append(facts, Fact{"witness", k.name}, Fact{"cosigned_at", at.Format(time.RFC3339)})
		}
	}
	return facts, n, nil
}

func (v *verification) timeStamp() {
	switch {
	case v.at == nil:
		v.leave(CheckStamp, Skipped)
		return
	case len(v.b.Stamp) == 0 && !v.t.NeedStamp:
		v.leave(CheckStamp, Absent)
		return
	case len(v.b.Stamp) == 0:
		v.note(CheckStamp, errors.New("there is no time stamp"))
		return
	case v.t.Stamps.Roots == nil && !v.t.NeedStamp:
		v.checks = append(v.checks, Check{Code: CheckStamp, Outcome: Absent, Detail: "no time-stamp authority is trusted, so the stamp was not looked at"})
		return
	}
	tok, err := stamp.Verify(v.b.Stamp, []byte(v.b.Checkpoint), v.t.Stamps)
	if err != nil {
		v.note(CheckStamp, err)
		return
	}
	v.note(CheckStamp, nil, Fact{"stamped_at", tok.Time.Format(time.RFC3339Nano)}, Fact{"accuracy", tok.Accuracy.String()},
		Fact{"authority", tok.Authority.Subject.String()}, Fact{"serial", tok.Serial.Text(16)}, Fact{"policy", tok.Policy.String()})
}
