package dcql

import (
	"errors"
	"fmt"
)

// Errors of an answer as a whole.
var (
	ErrUnknown = errors.New("the answer has what was not asked for")
	ErrCount   = errors.New("the answer has several credentials where one was asked for")
	ErrMissing = errors.New("the answer lacks credentials that were asked for")
)

// CheckOne tells whether a credential that was shown, and whose signatures, holder and
// status were verified, answers the question of that name. All is checked again: type,
// authority, holder, claims and their values. The error says what is wrong; that one
// credential is then to be discarded (OpenID4VP 1.0 §8.6).
func (q *Query) CheckOne(id string, shown Held) error {
	c := q.Credential(id)
	if c == nil {
		return fmt.Errorf("%w: %.80q", ErrUnknown, id)
	}
	if _, _, err := c.choose(shown); err != nil {
		return fmt.Errorf("credential %s: %w", id, err)
	}
	return nil
}

// CheckCounts tells whether an answer has only what was asked for, and not several
// credentials where one was: before anything in it is verified.
func (q *Query) CheckCounts(count map[string]int) error {
	for id, n := range count {
		c := q.Credential(id)
		switch {
		case c == nil:
			return fmt.Errorf("%w: %.80q", ErrUnknown, id)
		case n == 0:
			return fmt.Errorf("%w: none for %s", ErrMissing, id)
		case n > 1 && !c.Multiple:
			return fmt.Errorf("%w: %d for %s", ErrCount, n, id)
		}
	}
	return nil
}

// CheckSet tells whether the questions that were answered, by credentials that
// [Query.CheckOne] found good, are all that had to be.
func (q *Query) CheckSet(answered map[string]bool) error {
	if len(q.CredentialSets) == 0 {
		for _, c := range q.Credentials {
			if !answered[c.ID] {
				return fmt.Errorf("%w: %s", ErrMissing, c.ID)
			}
		}
		return nil
	}
	for i, s := range q.CredentialSets {
		if s.Required() && !s.satisfied(answered) {
			return fmt.Errorf("%w: no option of set %d", ErrMissing, i)
		}
	}
	return nil
}

func (s Set) satisfied(answered map[string]bool) bool {
	for _, group := range s.Options {
		all := true
		for _, id := range group {
			all = all && answered[id]
		}
		if all {
			return true
		}
	}
	return false
}

// CheckAnswer does [Query.CheckCounts], [Query.CheckOne] and [Query.CheckSet] for an
// answer of which nothing may be discarded.
func (q *Query) CheckAnswer(answer map[string][]Held) error {
	count, answered := map[string]int{}, map[string]bool{}
	for id, list := range answer {
		count[id] = len(list)
	}
	if err := q.CheckCounts(count); err != nil {
		return err
	}
	for id, list := range answer {
		for _, h := range list {
			if err := q.CheckOne(id, h); err != nil {
				return err
			}
		}
		answered[id] = true
	}
	return q.CheckSet(answered)
}
