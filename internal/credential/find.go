package credential

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"

	"diwan/internal/db"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
)

// Make prepares a document and settles it at once: for registers that answer without
// a case.
func (s *Credentials) Make(ctx context.Context, from Source) (*Document, error) {
	if err := s.DB.RunTx(ctx, func(tx *db.Tx) error { return s.Prepare(ctx, tx, from) }); err != nil {
		return nil, err
	}
	all, err := s.Of(ctx, from.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.Type != from.Type {
			continue
		}
		if d.State == Prepared {
			if _, err := s.settle(ctx, d, nil); err != nil {
				return nil, err
			}
		}
		return s.document(ctx, s.DB.Reader(), d.ID)
	}
	return nil, errNoType
}

// DocumentOf finds the document of a copy: by its place in a status list, or by the
// copy itself in either format. The copy need not be valid.
func (s *Credentials) DocumentOf(ctx context.Context, text, uri string, index *int64) (*Document, error) {
	if text != "" {
		r, err := referenceOf(text)
		if err != nil {
			return nil, errNoDocument
		}
		at := int64(r.Index)
		uri, index = r.URI, &at
	}
	list, ok := strings.CutPrefix(uri, s.Base+pathStatus)
	if !ok || index == nil {
		return nil, errNoDocument
	}
	var id string
	err := s.DB.Reader().QueryRowContext(ctx, `SELECT document FROM credential_copy WHERE list = $1 AND place = $2`, list, *index).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoDocument
	}
	if err != nil {
		return nil, err
	}
	return s.document(ctx, s.DB.Reader(), id)
}

func referenceOf(text string) (statuslist.Reference, error) {
	if strings.Contains(text, "~") {
		t, err := sdjwt.Parse(text, jws.Want{Types: []string{sdjwt.TypeVC}, Algorithms: algorithms})
		if err != nil {
			return statuslist.Reference{}, err
		}
		return statuslist.FromClaim(t.Unverified()["status"])
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return statuslist.Reference{}, err
	}
	in, err := mdoc.Parse(b)
	if err != nil {
		return statuslist.Reference{}, err
	}
	st := in.Unverified().Status
	if st == nil {
		return statuslist.Reference{}, statuslist.ErrMechanism
	}
	return statuslist.Reference{Index: int(st.Idx), URI: st.URI}, nil
}

// ByID returns a document for the program itself: no actor is checked.
func (s *Credentials) ByID(ctx context.Context, id string) (*Document, error) {
	return s.document(ctx, s.DB.Reader(), id)
}
