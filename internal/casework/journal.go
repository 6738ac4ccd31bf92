package casework

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/problem"
)

// firstHash is what the first event of a case follows: the case itself, so that
// events can't be moved to another.
func firstHash(administration, id, number string) string {
	return hashOf("case", administration, id, number)
}

// hashOf hashes texts, each with its length before it, so that no two lists of
// texts run into the same bytes.
func hashOf(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// chain gives an event its place in the journal. Of what is sealed the digest of how
// it lies counts, so that the chain can be checked after an erasure.
func (e *Event) chain(previous, clear string) {
	e.Hash = hashOf(previous, fmt.Sprint(e.Seq), e.Type, e.On.String(), fmt.Sprint(db.Micros(e.At)), e.Actor, clear, digestOf(e.sealed))
}

// verify checks the chain of a case's events.
func verify(c *Case, events []Event, clears []string) error {
	previous := firstHash(c.Administration, c.ID, c.Number)
	for i := range events {
		e := events[i]
		had := e.Hash
		e.chain(previous, clears[i])
		if e.Seq != int64(i+1) || e.Hash != had {
			return problem.New(problem.Internal, "case.journal", "number", c.Number, "seq", fmt.Sprint(i+1))
		}
		previous = had
	}
	if previous != c.head || int64(len(events)) != c.Events {
		return problem.New(problem.Internal, "case.journal", "number", c.Number, "seq", fmt.Sprint(len(events)+1))
	}
	return nil
}
