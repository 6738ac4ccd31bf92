package casework

import (
	"context"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// Verdict is how a case came to be granted.
type Verdict struct {
	By     string // the officer's account; empty when the law decided
	On     gov.Date
	Silent bool // the administration kept silent, and the law takes that for a yes
}

// decided tells whoever makes documents of decisions, in the decision's transaction.
func (w *Casework) decided(ctx context.Context, tx *db.Tx, c *Case, t *Terms, v Verdict) error {
	if w.Decided == nil {
		return nil
	}
	return w.Decided(ctx, tx, c, t, v)
}

// Basis is what a decision rests on, for the document that is made of it. The program
// itself asks: no actor is checked.
func (w *Casework) Basis(ctx context.Context, number string) (*Case, *Terms, Content, error) {
	c, err := caseByNumber(ctx, w.DB.Reader(), number)
	if err != nil {
		return nil, nil, Content{}, err
	}
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return nil, nil, Content{}, err
	}
	content, err := w.Content(ctx, c)
	return c, t, content, err
}

// DocumentReady is the event that the document of a decision can be fetched.
const DocumentReady = "document_ready"

// Ready tells the person of a case that its document was signed, in the transaction
// that signs it.
func (w *Casework) Ready(ctx context.Context, tx *db.Tx, number string) error {
	c, err := caseByNumber(ctx, tx, number)
	if err != nil {
		return err
	}
	all, _, err := events(ctx, tx, c)
	if err != nil {
		return err
	}
	e := Event{Type: DocumentReady, On: w.dayIn(all), At: w.momentIn(all), Clear: Clear{Role: AsProgram}}
	if err := w.appendEvent(ctx, tx, c, &e); err != nil {
		return err
	}
	if err := w.notify(ctx, tx, c, e); err != nil {
		return err
	}
	c.Updated = w.Clock.Now()
	return updateCase(ctx, tx, c)
}
