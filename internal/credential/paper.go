package credential

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/cosecode"
)

// Printed is a document as it goes on paper.
type Printed struct {
	*Document
	Name   gov.Text
	Office gov.Text
	Says   []Said
	// Code is an address whose fragment carries the signed form. A phone's camera opens
	// it; the fragment stays on the phone.
	Code string
}

// codePath is the short address that printed codes open.
const codePath = "/v"

// printed makes what goes on paper. The signed code has a place of its own in a status
// list, the same for every print.
func (s *Credentials) printed(r *http.Request, d *Document) (*Printed, error) {
	ctx := r.Context()
	if !d.Valid(s.today()) {
		return nil, problem.New(problem.Conflict, "credential.not_valid")
	}
	c, err := s.lint(ctx, d)
	if err != nil {
		return nil, err
	}
	_, says, err := s.said(r, d, minePath+d.ID)
	if err != nil {
		return nil, err
	}
	text, err := s.code(ctx, c)
	if err != nil {
		return nil, err
	}
	return &Printed{Document: d, Name: c.kind.Name, Office: s.OfficeName(d.Administration), Says: says, Code: s.Base + codePath + "#" + fragment(text)}, nil
}

// fragment escapes the two characters of the code that an address may not have.
func fragment(text string) string {
	return strings.NewReplacer("%", "%25", " ", "%20").Replace(text)
}

// code signs the compact form of a document.
func (s *Credentials) code(ctx context.Context, c *checked) (string, error) {
	at, err := s.paperPlace(ctx, c.document)
	if err != nil {
		return "", err
	}
	if err := c.take(); err != nil {
		return "", err
	}
	by, err := s.issuer(ctx, c.document.Administration)
	if err != nil {
		return "", err
	}
	kind := c.kind.VCT
	if kind == "" {
		kind = c.kind.DocType
	}
	d := &cosecode.Document{Issuer: c.document.Administration, Type: kind, Number: c.document.Number, IssuedAt: s.morning(c.document.From), NotBefore: s.morning(c.document.From),
		Claims: map[string]any{}, Status: &cosecode.Status{Idx: uint64(at.index), URI: s.listURI(at.list)}}
	if !c.document.Until.IsZero() {
		d.Expires = s.evening(c.document.Until)
	}
	for _, k := range c.kind.Claims {
		if v, ok := c.values[k.Name]; ok && k.Paper {
			if x, ok := printable(k.Kind, v); ok {
				d.Claims[k.Name] = x
			}
		}
	}
	text, err := cosecode.Encode(by.key, cosecode.KeyID(by.cert), d)
	if err != nil {
		return "", fmt.Errorf("signing the code of a document: %w", err)
	}
	return text, nil
}

// printable is a value as the code on paper has it; a picture has none.
func printable(kind string, v any) (any, bool) {
	switch v := v.(type) {
	case string:
		if kind == Day {
			return cosecode.Date(v), true
		}
		return v, kind == Words
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, true
		}
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return nil, false
}

// paperPlace is the place of the printed form of a document.
func (s *Credentials) paperPlace(ctx context.Context, d *Document) (place, error) {
	find := func(q querier) (p place, err error) {
		err = q.QueryRowContext(ctx, `SELECT list, place FROM credential_copy WHERE document = $1 AND format = $2 ORDER BY issued_at LIMIT 1`, d.ID, onPaper).Scan(&p.list, &p.index)
		return p, err
	}
	p, err := find(s.DB.Reader())
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	free, err := s.take(ctx, 1)
	if err != nil {
		return place{}, err
	}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var err error
		if p, err = find(tx); !errors.Is(err, sql.ErrNoRows) {
			return err // printed at the same time elsewhere
		}
		p = free[0]
		kept, err := s.record(ctx, tx, d, onPaper, "", "", free)
		if err == nil && !kept { // it was revoked or suspended meanwhile
			err = problem.New(problem.Conflict, "credential.not_valid")
		}
		return err
	})
	return p, err
}

// paper answers with the document as a sealed PDF.
func (m *Mine) paper(w http.ResponseWriter, r *http.Request) {
	d, err := m.Find(r.Context(), m.Actor(r), MayHold, r.PathValue("id"))
	var p *Printed
	if err == nil && m.Print == nil {
		err = problem.New(problem.Unavailable, "credential.no_paper")
	}
	if err == nil {
		p, err = m.printed(r, d)
	}
	var b []byte
	if err == nil {
		b, err = m.Print(r, p)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="`+url.PathEscape(d.Number)+`.pdf"`)
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(b)
}
