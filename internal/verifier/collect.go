package verifier

import (
	"context"

	"diwan/internal/problem"
)

// Pending is how a request stands for the part of the portal that began it.
type Pending struct {
	*Request
	// State is what may be told of it: of an answer on the same device only that it is under
	// way, until the person is back with the code.
	State string
	// Link opens a wallet, or is scanned by one.
	Link string
	// Code tells that the answer is read only with the code that the wallet was given.
	Code bool
}

// Look tells how a request stands to the session that began it. To any other there is no
// such request.
func (s *Verifier) Look(ctx context.Context, id, session string) (*Pending, error) {
	r, err := s.load(ctx, s.DB.Reader(), id)
	if err != nil {
		return nil, err
	}
	if !same(r.session, session) {
		return nil, errNoRequest
	}
	link, err := s.link(r)
	return &Pending{Request: r, State: r.told(), Link: link, Code: r.Flow == SameDevice && r.codeHash != ""}, err
}

// Collect reads the answer of a settled request for the session that began it. For an
// answer on the same device, text holds the code that the wallet was given; an error of
// code "verification.elsewhere" says that it is another. What is not to be kept is told
// once: afterwards there is nothing in it.
func (s *Verifier) Collect(ctx context.Context, id, session, text string) (*Request, []Shown, error) {
	p, err := s.Look(ctx, id, session)
	switch {
	case err != nil:
		return nil, nil, err
	case p.Code && !same(p.codeHash, responseCode(text)):
		return nil, nil, problem.New(problem.Forbidden, "verification.elsewhere")
	case p.Request.State == Expired:
		return p.Request, nil, nil
	case p.Request.State != Accepted && p.Request.State != Refused:
		return nil, nil, problem.New(problem.Conflict, "verification.not_yet")
	}
	return s.tell(ctx, id)
}
