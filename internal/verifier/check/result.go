package check

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/statuslist"
)

// State is the verdict.
type State string

// Verdicts.
const (
	Accepted State = "accepted"
	Refused  State = "refused"
	// Unknown is of a document against which nothing speaks, when what would have to be
	// asked is not there: offline, or with lists that have ended.
	Unknown State = "unknown"
)

// Reason says why a document, or an answer to a request, is not accepted.
type Reason string

// Reasons about a document, in the order in which they are told.
const (
	Unreadable      Reason = "unreadable"
	Unsupported     Reason = "unsupported"
	UntrustedIssuer Reason = "untrusted_issuer"
	BadSignature    Reason = "bad_signature"
	NotYetValid     Reason = "not_yet_valid"
	Expired         Reason = "expired"
	Suspended       Reason = "suspended"
	Revoked         Reason = "revoked"
	HolderNotProved Reason = "holder_not_proved"
	StatusUnknown   Reason = "status_unknown"
)

// Reasons about an answer to a request as a whole.
const (
	WrongNonce  Reason = "wrong_nonce"
	QueryNotMet Reason = "query_not_met"
	OverAsked   Reason = "over_asked"
	// OtherHolder: the document is of somebody else than the one about whom is asked.
	OtherHolder Reason = "other_holder"
)

// Reasons lists all reasons, for words about each.
func Reasons() []Reason {
	return []Reason{Unreadable, Unsupported, UntrustedIssuer, BadSignature, NotYetValid, Expired, Suspended, Revoked, HolderNotProved, StatusUnknown, WrongNonce, QueryNotMet, OverAsked, OtherHolder}
}

// Forms of a document.
const (
	FormSDJWT = "dc+sd-jwt"
	FormMDoc  = "mso_mdoc"
	FormCode  = "code" // of a printed page
)

// Issuer is who issued a document, by the list of issuers.
type Issuer struct {
	ID            string            `json:"id,omitempty"`
	Names         map[string]string `json:"name,omitempty"` // by language
	Demonstration bool              `json:"demonstration,omitempty"`
}

// Claim is one thing that a document says.
type Claim struct {
	Path claimpath.Path `json:"path"`
	// Labels name it by language; empty when nobody described it.
	Labels map[string]string `json:"labels,omitempty"`
	// Of names the list in which it lies by language; empty when it lies in none.
	Of    map[string]string `json:"of,omitempty"`
	Value any               `json:"value"`
}

// Result is what was found.
type Result struct {
	State   State    `json:"state"`
	Reasons []Reason `json:"reasons"`
	Form    string   `json:"form,omitempty"`
	// Type is the vct or the doctype, and Names call it by language.
	Type   string            `json:"type,omitempty"`
	Names  map[string]string `json:"type_name,omitempty"`
	Number string            `json:"number,omitempty"` // of a printed page
	Issuer Issuer            `json:"issuer,omitzero"`
	Claims []Claim           `json:"claims,omitempty"`
	// Holder tells whether who presented it proved to hold it. A file or a page proves
	// nothing of who brings it: then it is compared with the person.
	Holder bool `json:"holder_proved"`
	// Zero where the document doesn't say.
	Issued time.Time `json:"issued,omitzero"`
	From   time.Time `json:"valid_from,omitzero"`
	Until  time.Time `json:"valid_until,omitzero"`
	// Checked is when this was found, and the other two when the lists that it relies
	// on were made; zero where there was none.
	Checked    time.Time `json:"checked"`
	TrustMade  time.Time `json:"trust_made,omitzero"`
	StatusMade time.Time `json:"status_made,omitzero"`
	// The ages of the two in whole seconds, for programs.
	TrustSeconds  int64 `json:"trust_age"`
	StatusSeconds int64 `json:"status_age"`
	// Trace is for whoever looks into the matter, not for people.
	Trace string `json:"-"`
	// Place is where the status of this copy stands, nil where it has none. It is not kept:
	// it would tell two showings of one copy apart from all others.
	Place *statuslist.Reference `json:"-"`

	nonce  bool // it was made for another request
	claims map[string]any
	chain  []*x509.Certificate
}

// TrustAge is how old the list of issuers is that was relied on, and StatusAge the
// status list; 0 where there was none.
func (r *Result) TrustAge() time.Duration { return age(r.Checked, r.TrustMade) }

// StatusAge is how old the status list is that was relied on.
func (r *Result) StatusAge() time.Duration { return age(r.Checked, r.StatusMade) }

func age(now, made time.Time) time.Duration {
	if made.IsZero() || now.Before(made) {
		return 0
	}
	return now.Sub(made)
}

// Has tells whether a reason was found.
func (r *Result) Has(x Reason) bool { return slices.Contains(r.Reasons, x) }

// add notes a reason once.
func (r *Result) add(x Reason, err error) {
	if !r.Has(x) {
		r.Reasons = append(r.Reasons, x)
	}
	if err != nil && r.Trace == "" {
		r.Trace = err.Error()
	}
}

// settle gives the verdict that follows from the reasons.
func (r *Result) settle() Result {
	r.TrustSeconds, r.StatusSeconds = int64(r.TrustAge()/time.Second), int64(r.StatusAge()/time.Second)
	order := Reasons()
	slices.SortFunc(r.Reasons, func(a, b Reason) int { return cmp.Compare(slices.Index(order, a), slices.Index(order, b)) })
	switch {
	case len(r.Reasons) == 0:
		r.State, r.Reasons = Accepted, []Reason{}
	case len(r.Reasons) == 1 && r.Reasons[0] == StatusUnknown:
		r.State = Unknown
	default:
		r.State = Refused
	}
	return *r
}
