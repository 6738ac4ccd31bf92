package credential

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Type is a kind of credential as administrations edit it. A published version never
// changes; documents keep the version that they were prepared with.
type Type struct {
	ID      string   `json:"id"` // of the catalogue's type of document
	Version int64    `json:"version"`
	Name    gov.Text `json:"name"`
	About   gov.Text `json:"about,omitempty"`
	// VCT names the type in an SD-JWT VC. It carries its version: a new meaning is a
	// new name. Empty: not issued in this format.
	VCT string `json:"vct,omitempty"`
	// DocType and Namespace name it as an ISO mdoc. Empty: not issued in this format.
	DocType   string `json:"doctype,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Issuers are the administrations that may issue it; nobody named leaves it to
	// whoever decides.
	Issuers []string `json:"issuers,omitempty"`
	// Months and Days are how long it is valid; both zero: until it is revoked. A
	// printed extract is often asked to be younger than three months.
	Months int `json:"months,omitempty"`
	Days   int `json:"days,omitempty"`
	// EndsWith is a claim that holds the last day of what the document tells of: a
	// licence that ends in March is not valid in April, whatever the months say.
	EndsWith string `json:"ends_with,omitempty"`
	// TwoSign has a second officer sign it before it can be issued.
	TwoSign bool `json:"two_sign,omitempty"`
	// Colour is one of the palette's, for the card in a wallet.
	Colour string  `json:"colour"`
	Claims []Claim `json:"claims"`
	// Review are the languages whose words await a speaker.
	Review []gov.Lang `json:"review,omitempty"`
	// Demonstration says that the type was invented to show how it works.
	Demonstration bool `json:"demonstration,omitempty"`
}

// Claim is one thing that a credential says.
type Claim struct {
	Name  string   `json:"name"` // member of the SD-JWT VC, element of the mdoc
	Label gov.Text `json:"label"`
	Kind  string   `json:"kind"` // one of kinds
	// Members are what each entry of a list says; every other kind has none.
	Members []Member `json:"members,omitempty"`
	// Formats are those in which the claim stands; none: all. A name space that a
	// standard owns has the names of the standard and no others.
	Formats []string `json:"formats,omitempty"`
	// Mandatory claims are in every document of the type.
	Mandatory bool `json:"mandatory,omitempty"`
	// Open claims can't be hidden; all others can be shown one by one.
	Open bool `json:"open,omitempty"`
	// Paper claims stand in the signed code that is printed.
	Paper bool `json:"paper,omitempty"`
	// From are the places where the value comes from; the first that has one counts.
	// A place is a path into the facts of the decision, as "answers.land.title".
	From []string `json:"from"`
	// Basis is the article that has a number of the person stand in the document.
	// Without one it does not: it would make all documents one file on their holder.
	Basis gov.Address `json:"basis,omitempty"`
}

// Member is one thing that each entry of a list says.
type Member struct {
	Name  string   `json:"name"`
	Label gov.Text `json:"label"`
	Kind  string   `json:"kind"` // one of kinds, but neither an image nor a list
	// Mandatory members are in every entry.
	Mandatory bool `json:"mandatory,omitempty"`
}

// value is the member as a claim of its own, of which it takes the rules.
func (m *Member) value() *Claim { return &Claim{Name: m.Name, Kind: m.Kind} }

// In tells whether the claim stands in a format.
func (k *Claim) In(format string) bool {
	return len(k.Formats) == 0 || slices.Contains(k.Formats, format)
}

// Kinds of claims.
const (
	Words  = "text"
	Day    = "date"
	Number = "number"
	YesNo  = "yes-no"
	Image  = "image" // JPEG, in base64
	List   = "list"  // of entries that have members
)

// flat are the kinds of values that have no members.
var flat = []string{Words, Day, Number, YesNo, Image}

// Colours of cards, each a token of the design.
var Colours = []string{"green", "blue", "sand", "red", "grey"}

// Bounds of a type.
const (
	maxClaims   = 60
	maxMembers  = 20
	maxWords    = 400 // characters of a label or description
	maxValidity = 50 * 12
)

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,59}$`)
	idForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)
	vctForm     = regexp.MustCompile(`^(urn:[a-z0-9][a-z0-9-]{1,31}:[A-Za-z0-9:._-]{1,150}|https://[^\s"<>]{1,150})$`)
	doctypeForm = regexp.MustCompile(`^[a-z0-9]+(\.[A-Za-z0-9_-]+){2,12}$`)
	fromForm    = regexp.MustCompile(`^[a-z_]+(\.[A-Za-z0-9_-]+){0,6}$`)
)

// reserved are names that the format itself gives a meaning (SD-JWT VC §3.2.2.2 and
// RFC 7519): a claim of an administration may not stand in their place.
var reserved = []string{"iss", "sub", "aud", "nbf", "exp", "iat", "jti", "cnf", "vct", "status", "aka_vcts", "_sd", "_sd_alg"}

// Check finds what is wrong with a type, as an error in the reader's words.
func (t *Type) Check(c *gov.Country) error {
	bad := func(code string, args ...string) error {
		return problem.New(problem.Invalid, "credential.type."+code, args...)
	}
	for _, l := range c.Languages {
		if t.Name[l.Code] == "" || len(t.Name[l.Code]) > maxWords {
			return bad("name", "lang", string(l.Code))
		}
	}
	switch {
	case !idForm.MatchString(t.ID):
		return bad("id")
	case t.VCT == "" && t.DocType == "":
		return bad("format")
	case t.VCT != "" && !vctForm.MatchString(t.VCT):
		return bad("vct")
	case t.DocType != "" && (!doctypeForm.MatchString(t.DocType) || !doctypeForm.MatchString(t.Namespace)):
		return bad("doctype")
	case t.Months < 0 || t.Days < 0 || t.Months > maxValidity || t.Days > maxValidity*31:
		return bad("validity")
	case !slices.Contains(Colours, t.Colour):
		return bad("colour")
	case len(t.Claims) == 0 || len(t.Claims) > maxClaims:
		return bad("claims", "most", strconv.Itoa(maxClaims))
	}
	seen := map[string]bool{}
	for _, k := range t.Claims {
		switch {
		case !nameForm.MatchString(k.Name) || slices.Contains(reserved, k.Name):
			return bad("claim.name", "claim", k.Name)
		case seen[k.Name]:
			return bad("claim.twice", "claim", k.Name)
		case k.Kind != List && (!slices.Contains(flat, k.Kind) || len(k.Members) > 0):
			return bad("claim.kind", "claim", k.Name)
		case !formatsFit(t, k.Formats):
			return bad("claim.formats", "claim", k.Name)
		case len(k.From) == 0 || slices.ContainsFunc(k.From, func(f string) bool { return !fromForm.MatchString(f) }):
			return bad("claim.from", "claim", k.Name)
		case k.Basis == "" && slices.ContainsFunc(k.From, func(f string) bool { return identifies(c, f) }):
			return bad("claim.national", "claim", k.Name)
		}
		for _, l := range c.Languages {
			if k.Label[l.Code] == "" || len(k.Label[l.Code]) > maxWords {
				return bad("claim.label", "claim", k.Name, "lang", string(l.Code))
			}
		}
		if code, args := k.checkMembers(c); code != "" {
			return bad(code, args...)
		}
		seen[k.Name] = true
	}
	if k, ok := t.Claim(t.EndsWith); t.EndsWith != "" && (!ok || k.Kind != Day) {
		return bad("ends_with", "claim", t.EndsWith)
	}
	return nil
}

// formatsFit tells whether the formats of a claim are ones in which its type is issued.
func formatsFit(t *Type, formats []string) bool {
	return !slices.ContainsFunc(formats, func(f string) bool { return !slices.Contains(t.Formats(), f) })
}

// checkMembers finds what is wrong with the members of a list, as a code of this type's
// errors; empty when nothing is. A member may no more be a number of the person than a
// claim may: lists have no article that would allow it.
func (k *Claim) checkMembers(c *gov.Country) (code string, args []string) {
	if k.Kind != List {
		return "", nil
	}
	if len(k.Members) == 0 || len(k.Members) > maxMembers {
		return "claim.members", []string{"claim", k.Name, "most", strconv.Itoa(maxMembers)}
	}
	seen := map[string]bool{}
	for _, m := range k.Members {
		at := k.Name + "." + m.Name
		switch {
		case !nameForm.MatchString(m.Name):
			return "claim.name", []string{"claim", at}
		case seen[m.Name]:
			return "claim.twice", []string{"claim", at}
		case m.Kind == Image || !slices.Contains(flat, m.Kind):
			return "claim.kind", []string{"claim", at}
		case identifies(c, m.Name):
			return "claim.national", []string{"claim", at}
		}
		for _, l := range c.Languages {
			if m.Label[l.Code] == "" || len(m.Label[l.Code]) > maxWords {
				return "claim.label", []string{"claim", at, "lang", string(l.Code)}
			}
		}
		seen[m.Name] = true
	}
	return "", nil
}

// identifies tells whether a place holds one of the country's identifiers.
func identifies(c *gov.Country, from string) bool {
	last := from[strings.LastIndexByte(from, '.')+1:]
	return slices.ContainsFunc(c.Schemes, func(i gov.Identifier) bool { return i.ID == last })
}

// Dates are the claims that hold a day.
func (t *Type) Dates() (all []Claim) {
	for _, k := range t.Claims {
		if k.Kind == Day {
			all = append(all, k)
		}
	}
	return all
}

// Claim returns the claim with a name.
func (t *Type) Claim(name string) (Claim, bool) {
	for _, k := range t.Claims {
		if k.Name == name {
			return k, true
		}
	}
	return Claim{}, false
}

// Ends is the last day of validity of a document of a day that says these values;
// zero without an end.
func (t *Type) Ends(on gov.Date, values Values) gov.Date {
	end := t.lasts(on)
	text, _ := values[t.EndsWith].(string)
	if own, err := gov.ParseDate(text); err == nil && (end.IsZero() || own.Before(end)) {
		return own
	}
	return end
}

func (t *Type) lasts(on gov.Date) gov.Date {
	if t.Months == 0 && t.Days == 0 {
		return gov.Date{}
	}
	d := time.Date(on.Year, on.Month+time.Month(t.Months), 1, 12, 0, 0, 0, time.UTC)
	last := time.Date(d.Year(), d.Month()+1, 0, 12, 0, 0, 0, time.UTC).Day()
	return gov.Date{Year: d.Year(), Month: d.Month(), Day: min(on.Day, last)}.AddDays(t.Days)
}

// Formats of credentials.
const (
	SDJWT = "dc+sd-jwt"
	MDoc  = "mso_mdoc"
)

// Formats are those in which a type is issued.
func (t *Type) Formats() (all []string) {
	if t.VCT != "" {
		all = append(all, SDJWT)
	}
	if t.DocType != "" {
		all = append(all, MDoc)
	}
	return all
}

// configurations name a type and a format in the protocol.
var suffixes = map[string]string{SDJWT: "sd-jwt", MDoc: "mdoc"}

// Configuration is the protocol's name of a type in a format.
func Configuration(id, format string) string { return id + "." + suffixes[format] }

// readConfiguration takes such a name apart.
func readConfiguration(s string) (id, format string, err error) {
	id, suffix, ok := strings.Cut(s, ".")
	for f, x := range suffixes {
		if ok && x == suffix {
			return id, f, nil
		}
	}
	return "", "", fmt.Errorf("%q names no type and format", s)
}
