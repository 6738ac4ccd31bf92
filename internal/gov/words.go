package gov

import (
	"crypto/rand"
	"strings"
	"time"
)

// Centimes is an amount of the country's money in hundredths, so that no sum is
// ever rounded.
type Centimes int64

// Address is the address of a legal text or of an article in it, in the Akoma
// Ntoso naming convention: "/akn/…/act/loi/2020/55-19#art_16".
type Address string

// Work returns the address without the article.
func (a Address) Work() Address {
	w, _, _ := strings.Cut(string(a), "#")
	return Address(w)
}

// Article returns the element identifier after "#", or "".
func (a Address) Article() string {
	_, e, _ := strings.Cut(string(a), "#")
	return e
}

// Clock tells the time. Everything that depends on the time takes one, so that
// periods of months can be tested in an instant and a demonstration can travel.
type Clock interface{ Now() time.Time }

// SystemClock is the machine's own clock.
type SystemClock struct{}

// Now returns the present time.
func (SystemClock) Now() time.Time { return time.Now() }

// NewID returns a random identifier of 26 letters and digits (130 bits). Ids
// are random so that nobody can count or guess the records of others, and so
// that distributed databases spread them.
func NewID() string { return strings.ToLower(rand.Text()) }

// Actor is someone on whose behalf something is done. The zero value is the
// public: nobody signed in.
type Actor struct {
	ID             string `json:"id"`
	Login          string `json:"login"`
	Name           Text   `json:"name"`
	Administration string `json:"administration,omitempty"`
	// Unit is the part of the administration where the actor works; empty is the
	// whole of it.
	Unit  string `json:"unit,omitempty"`
	Roles []Role `json:"roles,omitempty"`
}

// Role is a permission to work, given for one administration, or for all when
// the actor's administration is empty.
type Role string

// The roles of the catalogue. Editors prepare, the commission reviews, stewards
// keep the whole (imports, life events, accounts).
const (
	RoleEditor     Role = "editor"
	RoleCommission Role = "commission"
	RoleSteward    Role = "steward"
)

// RoleExchange keeps the exchange between administrations: who takes part, whose
// keys are trusted.
const RoleExchange Role = "exchange"

// The roles of casework. Who receives takes applications in and checks that they
// are complete, who studies prepares the decision, who signs takes it, who
// supervises distributes the work; the counter files for people who are present.
const (
	RoleReceive   Role = "receive"
	RoleStudy     Role = "study"
	RoleSign      Role = "sign"
	RoleSupervise Role = "supervise"
	RoleCounter   Role = "counter"
)

// RolePerson is anybody with a space of their own here. It opens nothing of the
// office.
const RolePerson Role = "person"

// Has reports whether the actor holds the role.
func (a Actor) Has(r Role) bool {
	for _, x := range a.Roles {
		if x == r {
			return true
		}
	}
	return false
}

// Works reports whether the actor holds a role of the office.
func (a Actor) Works() bool {
	for _, r := range a.Roles {
		if r != RolePerson {
			return true
		}
	}
	return false
}

// Public reports whether nobody is signed in.
func (a Actor) Public() bool { return a.ID == "" }
