package dcql

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
)

// ErrUnsatisfied means that what is held can't answer the query: nothing at all is then
// to be shown (OpenID4VP 1.0 §6.4.2).
var ErrUnsatisfied = errors.New("no credentials answer the query")

// Held is a credential, as a wallet holds it or as a verifier was shown it.
type Held struct {
	Format string
	// Types are the vct and those that it extends, or the doctype alone.
	Types []string
	// Claims is the decoded JSON of the credential with all its disclosures; of an
	// mdoc, a map of namespaces to maps of elements.
	Claims any
	// AuthorityKeys are the authority key identifiers of the certificates that came
	// with it.
	AuthorityKeys [][]byte
	// Authorities are the values of other kinds of authority that it falls under, by
	// kind.
	Authorities map[string][]string
	// Bound says, in a wallet, that the holder can prove to be its holder; at a
	// verifier, that this was proved.
	Bound bool
}

// Match is a credential that answers a question.
type Match struct {
	Held int // index among those given
	// Claims are the claims to disclose and where exactly they stand: the paths have
	// no null. None means that nothing which can be hidden is to be shown.
	Claims []claimpath.Path
	// ClaimSet is the index of the alternative that is answered, -1 without any.
	ClaimSet int
}

// Options are the groups of one set of the query that can be answered, the verifier's
// preference first.
type Options struct {
	Required bool
	Groups   [][]string
}

// Result is how what is held answers a query.
type Result struct {
	// Matches lists for each question what answers it, in the order given.
	Matches map[string][]Match
	Sets    []Options
	query   *Query
}

// Evaluate finds what can answer a query. The query was checked.
func (q *Query) Evaluate(held []Held) Result {
	r := Result{Matches: map[string][]Match{}, query: q}
	for _, c := range q.Credentials {
		for i, h := range held {
			claims, set, err := c.choose(h)
			if err == nil {
				r.Matches[c.ID] = append(r.Matches[c.ID], Match{i, claims, set})
			}
		}
	}
	for _, s := range q.CredentialSets {
		o := Options{Required: s.Required()}
		for _, group := range s.Options {
			if r.answers(group) {
				o.Groups = append(o.Groups, group)
			}
		}
		r.Sets = append(r.Sets, o)
	}
	return r
}

// answers tells whether each question of a group has a match.
func (r Result) answers(group []string) bool {
	return !slices.ContainsFunc(group, func(id string) bool { return len(r.Matches[id]) == 0 })
}

// Choice answers a question with credentials, one unless several were asked for.
type Choice struct {
	ID      string
	Matches []Match
}

// Default chooses what to show where the holder has nothing to choose: of each set
// that must be answered the verifier's first possible group, of each question the first
// match (all, where several are asked for). Sets that may be left are left. The error
// is [ErrUnsatisfied].
func (r Result) Default() ([]Choice, error) {
	wanted := map[string]bool{}
	if len(r.Sets) == 0 {
		for _, c := range r.query.Credentials {
			wanted[c.ID] = true
		}
	}
	for _, s := range r.Sets {
		if !s.Required {
			continue
		}
		if len(s.Groups) == 0 {
			return nil, ErrUnsatisfied
		}
		for _, id := range s.Groups[0] {
			wanted[id] = true
		}
	}
	var out []Choice
	for _, c := range r.query.Credentials {
		matches := r.Matches[c.ID]
		switch {
		case !wanted[c.ID]:
			continue
		case len(matches) == 0:
			return nil, fmt.Errorf("%w: none for %s", ErrUnsatisfied, c.ID)
		case !c.Multiple:
			matches = matches[:1]
		}
		out = append(out, Choice{c.ID, matches})
	}
	return out, nil
}

// Errors of a credential that does not answer a question.
var (
	ErrMismatch = errors.New("the credential is of another format or type")
	ErrIssuer   = errors.New("the issuer is not under an authority that was asked for")
	ErrHolder   = errors.New("the holder is not proved")
	ErrClaims   = errors.New("claims that were asked for are missing or have other values")
)

// choose finds the claims that answer the question, or tells why there are none.
func (c Credential) choose(h Held) ([]claimpath.Path, int, error) {
	switch {
	case h.Format != c.Format || !overlap(c.types(), h.Types):
		return nil, 0, ErrMismatch
	case c.Authorities != nil && !slices.ContainsFunc(c.Authorities, h.under):
		return nil, 0, ErrIssuer
	case c.Bound() && !h.Bound:
		return nil, 0, ErrHolder
	}
	if c.ClaimSets == nil {
		paths, err := locate(c.Claims, h.Claims)
		return paths, -1, err
	}
	for i, set := range c.ClaimSets {
		var claims []Claim
		for _, claim := range c.Claims {
			if slices.Contains(set, claim.ID) {
				claims = append(claims, claim)
			}
		}
		if paths, err := locate(claims, h.Claims); err == nil {
			return paths, i, nil
		}
	}
	return nil, 0, ErrClaims
}

// types lists the types that are asked for; none of a format that is not known here.
func (c Credential) types() []string {
	switch c.Format {
	case openid4.SDJWT:
		return c.Meta.VCT
	case openid4.MDoc:
		return []string{c.Meta.Doctype}
	}
	return nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// under tells whether an authority certified the issuer.
func (h Held) under(a Authority) bool {
	if a.Type != AuthorityKey {
		return overlap(a.Values, h.Authorities[a.Type])
	}
	return slices.ContainsFunc(h.AuthorityKeys, func(id []byte) bool {
		return slices.Contains(a.Values, base64.RawURLEncoding.EncodeToString(id))
	})
}

// locate finds where claims stand. Of a claim asked for by value, only the places that
// have one of the values are shown.
func locate(claims []Claim, root any) ([]claimpath.Path, error) {
	var out []claimpath.Path
	seen := map[string]bool{}
	for _, c := range claims {
		found, err := c.Path.Locate(root)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrClaims, err)
		}
		some := false
		for _, m := range found {
			if c.Values != nil && !slices.ContainsFunc(c.Values, func(v any) bool { return equal(m.Value, v) }) {
				continue
			}
			some = true
			if place := m.Path.String(); !seen[place] {
				seen[place] = true
				out = append(out, m.Path)
			}
		}
		if !some {
			return nil, fmt.Errorf("%w: %s", ErrClaims, c.Path)
		}
	}
	return out, nil
}
