package verifier

import (
	"context"
	"errors"
	"slices"

	"diwan/internal/verifier/check"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
)

// Shown is one document of an answer: what was asked of it, and nothing else.
type Shown struct {
	Query  string       `json:"query"` // the question that it answers
	Many   bool         `json:"many,omitempty"`
	Result check.Result `json:"document"`
}

// outcome is what follows from an answer.
type outcome struct {
	state   string
	reasons []check.Reason
	wallet  string // the code of a wallet's refusal
	shown   []Shown
	nonce   bool // the answer is for another request
}

func refused(reasons ...check.Reason) *outcome {
	return &outcome{state: Refused, reasons: reasons, shown: []Shown{}}
}

// maxTold bounds what is kept of a wallet's words.
const maxTold = 64

// judge checks an answer (OpenID4VP 1.0 §8.6): the container has been read; then each
// presentation with its signature, issuer, type and holder, whether it answers its
// question, its status, and last whether all that is needed is there. A bad presentation
// is left out; one for another request rejects the answer.
func (s *Verifier) judge(ctx context.Context, r *Request, k *jwe.Key, a *vp.Response) (*outcome, error) {
	if a.Err != nil {
		o := refused(check.QueryNotMet)
		o.wallet = string(a.Err.Code)[:min(len(a.Err.Code), maxTold)]
		return o, nil
	}
	if err := r.Query.CheckCounts(a.Tokens.Counts()); err != nil {
		return refused(check.QueryNotMet), nil
	}
	public := k.Public()
	print, err := jwe.Thumbprint(&public)
	if err != nil {
		return nil, err
	}
	session := check.Session{ClientID: r.ClientID, Nonce: r.nonce, ResponseURI: s.requestURI(r.ID) + pathAnswer, Thumbprint: print}
	o := &outcome{state: Accepted, reasons: []check.Reason{}, shown: []Shown{}}
	answered := map[string]bool{}
	for _, c := range r.Query.Credentials {
		for _, text := range a.Tokens[c.ID] {
			err := s.one(ctx, r, c, text, session, o)
			if errors.Is(err, check.ErrNonce) {
				bad := refused(check.WrongNonce)
				bad.nonce = true
				return bad, nil
			}
			if err != nil && !errors.Is(err, errDiscarded) {
				return nil, err
			}
			answered[c.ID] = answered[c.ID] || err == nil
		}
	}
	if r.Query.CheckSet(answered) == nil {
		o.reasons = []check.Reason{}
		return o, nil
	}
	if len(o.reasons) == 0 {
		o.reasons = append(o.reasons, check.QueryNotMet)
	}
	return refused(o.reasons...), nil
}

var errDiscarded = errors.New("the presentation is discarded")

// one checks one presentation and adds what it shows, or why it is discarded.
func (s *Verifier) one(ctx context.Context, r *Request, c dcql.Credential, text string, session check.Session, o *outcome) error {
	found, held, err := s.Kit.Presentation(ctx, c.Format, text, session)
	if err != nil {
		return err
	}
	reasons := found.Reasons
	mine, err := s.owned(ctx, r, found)
	if err != nil {
		return err
	}
	switch {
	case found.State == check.Accepted && !mine:
		reasons = []check.Reason{check.OtherHolder}
	case found.State == check.Accepted:
		if err := r.Query.CheckOne(c.ID, held); err == nil {
			found.Claims = asked(c, found.Claims)
			o.shown = append(o.shown, Shown{Query: c.ID, Many: c.Multiple, Result: found})
			return nil
		}
		reasons = []check.Reason{check.QueryNotMet}
	}
	for _, x := range reasons {
		if !slices.Contains(o.reasons, x) {
			o.reasons = append(o.reasons, x)
		}
	}
	// Why in detail is for whoever operates the portal; what was shown is not told.
	s.Log.InfoContext(ctx, "a presentation was discarded", "request", r.ID, "reasons", reasons)
	return errDiscarded
}

// owned tells whether a document is about whom the request asks. It is found out before
// anything is kept: who shows a document of somebody else leaves nothing of it here.
func (s *Verifier) owned(ctx context.Context, r *Request, found check.Result) (bool, error) {
	if r.Holder == "" || found.State != check.Accepted {
		return true, nil
	}
	if s.Owns == nil {
		return false, nil
	}
	return s.Owns(ctx, r.Holder, found)
}

// asked keeps the claims that the question names: what a wallet shows beyond it was not
// asked, and is not kept.
func asked(c dcql.Credential, all []check.Claim) []check.Claim {
	var out []check.Claim
	for _, x := range all {
		if slices.ContainsFunc(c.Claims, func(q dcql.Claim) bool { return q.Path.Covers(x.Path) }) {
			out = append(out, x)
		}
	}
	return out
}

// Formats lists the formats that can be asked for.
func Formats() []string { return []string{openid4.SDJWT, openid4.MDoc} }
