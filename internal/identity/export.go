package identity

import (
	"context"
	"time"

	"diwan/internal/gov"
)

// Export is everything that this slice keeps of a person, for the copy that they
// may ask for. Times are UTC.
type Export struct {
	Account     string            `json:"account"`
	Name        gov.Text          `json:"name"`
	Particulars Particulars       `json:"particulars"`
	Providers   []string          `json:"sign_in_providers"`
	SignIns     []ExportedSignIn  `json:"sign_ins"`
	Mandates    []ExportedMandate `json:"mandates"`
	Language    gov.Lang          `json:"language,omitempty"`
	Channel     string            `json:"channel"`
	Rhythm      string            `json:"rhythm"`
	Email       string            `json:"email,omitempty"`
	Phone       string            `json:"phone,omitempty"`
}

// ExportedSignIn is one sign-in.
type ExportedSignIn struct {
	Way     string    `json:"way"`
	Issuer  string    `json:"issuer,omitempty"`
	Browser string    `json:"browser"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
	Ended   time.Time `json:"ended,omitzero"`
}

// ExportedMandate is one mandate that they give or hold.
type ExportedMandate struct {
	Kind       string   `json:"kind"`
	State      string   `json:"state"`
	Given      bool     `json:"given"` // by them; otherwise they hold it
	Name       gov.Text `json:"name"`
	Procedures []string `json:"procedures,omitempty"`
	From       gov.Date `json:"from"`
	Until      gov.Date `json:"until,omitzero"`
	AttestedBy string   `json:"attested_by,omitempty"`
}

// exportedSignIns is more than the history can hold of one person.
const exportedSignIns = 10_000

// Export returns what this slice keeps of a person. It is for the person, or for
// who answers their request; that it was made goes to the audit trail.
func (s *Accounts) Export(ctx context.Context, by gov.Actor, account string) (e Export, err error) {
	a, err := s.ByID(ctx, account)
	if err != nil {
		return e, err
	}
	e.Account, e.Name = a.ID, a.Name
	if e.Particulars, err = s.ParticularsOf(ctx, by, account, "export"); err != nil {
		return e, err
	}
	if e.Providers, err = s.issuersOf(ctx, account); err != nil {
		return e, err
	}
	history, err := s.History(ctx, account, exportedSignIns)
	if err != nil {
		return e, err
	}
	for _, h := range history {
		x := ExportedSignIn{Way: h.Way, Issuer: h.Issuer, Browser: h.Agent, Started: h.Started.UTC(), Seen: h.Seen.UTC()}
		if !h.Ended.IsZero() {
			x.Ended = h.Ended.UTC()
		}
		e.SignIns = append(e.SignIns, x)
	}
	mandates, err := s.Mandates(ctx, account)
	if err != nil {
		return e, err
	}
	for _, m := range mandates {
		e.Mandates = append(e.Mandates, ExportedMandate{m.Kind, m.State, m.Principal == account, m.Name, m.Procedures, m.From, m.Until, m.AttestedBy})
	}
	p, err := s.Preferences(ctx, account)
	if err != nil {
		return e, err
	}
	e.Language, e.Channel, e.Rhythm, e.Email, e.Phone = p.Language, p.Channel, p.Rhythm, p.Email, p.Phone
	return e, s.note(ctx, by, "person.exported", account, nil)
}

// issuersOf are the providers by which an account is known.
func (s *Accounts) issuersOf(ctx context.Context, account string) ([]string, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT DISTINCT issuer FROM identity_subject WHERE account = $1 ORDER BY issuer`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var i string
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, rows.Err()
}
