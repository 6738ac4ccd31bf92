package translog

import (
	"fmt"
	"strings"
)

// MemberOrigin is the origin of the log of a member, by its identifier
// INSTANCE/CLASS/CODE.
func MemberOrigin(member string) string { return Origin(strings.Split(member, "/")...) }

// WitnessName is the name under which a member cosigns.
func WitnessName(member string) string { return MemberOrigin(member) + "/witness" }

// CheckKeys checks the keys that a member publishes, each of which may be empty:
// their form, and that they bear the member's name and no other.
func CheckKeys(member, log, witness string) error {
	if log != "" {
		k, err := ParseLogKey(log)
		if err != nil {
			return err
		}
		if k.Name() != MemberOrigin(member) {
			return fmt.Errorf("%w: the log key bears another name than the member", ErrKey)
		}
	}
	if witness != "" {
		k, err := parseWitnessKey(witness)
		if err != nil {
			return err
		}
		if k.name != WitnessName(member) {
			return fmt.Errorf("%w: the witness key bears another name than the member", ErrKey)
		}
	}
	return nil
}
