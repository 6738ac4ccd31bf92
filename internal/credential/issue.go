package credential

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vci"
)

// maxCopies is how many copies one token can fetch of one thing: a few batches, not a
// printing press.
const maxCopies = 3 * batchSize

// deferInterval is after how many seconds a wallet asks again for a document that
// waits for a signature, and deferLife how long it may.
const (
	deferInterval = 60
	deferLife     = 30 * 24 * time.Hour
)

// wish is what a request for credentials asks for, once it was understood.
type wish struct {
	Person   string
	Document string // empty: the newest of the type
	Type     string
	Format   string
	Keys     []*ecdsa.PublicKey
}

// opener opens requests that wallets encrypt.
func (s *Credentials) opener() (vci.Opener, error) {
	k, err := s.requests()
	return vci.Opener{Keys: []*jwe.Key{k}}, err
}

// credential answers POST /issue/credential (OpenID4VCI 1.0 §8).
func (h *issuerHTTP) credential(w http.ResponseWriter, r *http.Request) {
	s := h.Credentials
	var used seen
	a, err := s.access(r, pathCredential, &used)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	req, err := h.readRequest(w, r)
	var want *wish
	if err == nil {
		want, err = s.understand(r.Context(), a, req)
	}
	var answer *vci.CredentialResponse
	if err == nil {
		answer, err = s.issue(r.Context(), a, want, &used)
	}
	if err != nil {
		h.resourceError(w, err)
		return
	}
	h.answer(w, answer, req.Encryption)
}

func (h *issuerHTTP) readRequest(w http.ResponseWriter, r *http.Request) (*vci.CredentialRequest, error) {
	b, err := body(w, r)
	if err != nil {
		return nil, err
	}
	o, err := h.opener()
	if err != nil {
		return nil, err
	}
	plain, encrypted, err := o.Open(b, r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	return vci.ParseRequest(plain, vci.RequestCheck{Encrypted: encrypted, BatchSize: batchSize})
}

func (h *issuerHTTP) answer(w http.ResponseWriter, a *vci.CredentialResponse, to *vci.ResponseKey) {
	b, kind, err := a.Body(to)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	h.freshNonce(w)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(a.Status())
	_, _ = w.Write(b)
}

// understand finds what a request asks for and checks that the token is for it, and
// that the keys are the wallet's.
func (s *Credentials) understand(ctx context.Context, a *access, r *vci.CredentialRequest) (*wish, error) {
	want := &wish{Person: a.body.Person, Document: a.body.Document}
	name := r.Configuration
	if r.Identifier != "" {
		id, suffix, _ := strings.Cut(r.Identifier, ".")
		if a.body.Document == "" {
			name = r.Identifier
		} else if id != a.body.Document {
			return nil, fmt.Errorf("%w: the token is not for it", vci.UnknownIdentifier)
		} else if name = withSuffix(a.body.Configurations, suffix); name == "" {
			return nil, fmt.Errorf("%w: the token is not for it", vci.UnknownIdentifier)
		}
	}
	unknown := vci.UnknownConfiguration
	if r.Identifier != "" {
		unknown = vci.UnknownIdentifier
	}
	kind, format, err := readConfiguration(name)
	if err != nil || !contains(a.body.Configurations, name) && !contains(a.body.Types, name) {
		return nil, fmt.Errorf("%w: the token is not for it", unknown)
	}
	want.Type, want.Format = kind, format
	if r.Proofs == nil {
		return nil, fmt.Errorf("%w: proofs are missing", vci.InvalidProof)
	}
	now := s.Clock.Now()
	keys, err := vci.ProofCheck{Issuer: s.Base, ClientID: a.body.Client, Algorithms: algorithms, Now: now, Nonce: s.nonces.Valid(oauth.ForProof, now), BatchSize: batchSize}.Verify(*r.Proofs)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		pub, ok := k.Key.(*ecdsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("%w: the key is not on P-256", vci.InvalidProof)
		}
		want.Keys = append(want.Keys, pub)
	}
	return want, nil
}

func withSuffix(configurations []string, suffix string) string {
	for _, c := range configurations {
		if strings.HasSuffix(c, "."+suffix) {
			return c
		}
	}
	return ""
}

// wished finds the document that a wish is for, or the one that waits for a signature.
func (s *Credentials) wished(ctx context.Context, want *wish) (*Document, error) {
	if want.Document != "" {
		return s.document(ctx, s.DB.Reader(), want.Document)
	}
	all, err := s.documents(ctx, `person = $1 AND type = $2 ORDER BY created_at DESC, id LIMIT $3`, want.Person, want.Type, maxHeld)
	if err != nil {
		return nil, err
	}
	var waits *Document
	for _, d := range all {
		if d.Valid(s.today()) {
			return d, nil
		}
		if waits == nil && contains([]string{Prepared, Faulty, Waiting}, d.State) {
			waits = d
		}
	}
	if waits == nil {
		return nil, errNoDocument
	}
	return waits, nil
}

// issue signs what was asked for and answers when its record is durable, or defers it.
func (s *Credentials) issue(ctx context.Context, a *access, want *wish, used *seen) (*vci.CredentialResponse, error) {
	d, err := s.wished(ctx, want)
	if errors.Is(err, errNoDocument) {
		return nil, fmt.Errorf("%w: there is no such document", vci.RequestDenied)
	}
	if err != nil {
		return nil, err
	}
	if contains([]string{Prepared, Faulty, Waiting}, d.State) {
		return s.postpone(ctx, a, want, used)
	}
	if !d.Valid(s.today()) {
		return nil, fmt.Errorf("%w: the document is not valid", vci.RequestDenied)
	}
	c, err := s.lint(ctx, d)
	if err != nil {
		return nil, err
	}
	if !contains(c.kind.Formats(), want.Format) {
		return nil, fmt.Errorf("%w: the document is not issued in this format", vci.RequestDenied)
	}
	places, err := s.take(ctx, len(want.Keys))
	if err != nil {
		return nil, err
	}
	texts, err := s.copies(ctx, c, want.Format, want.Keys, places)
	if err != nil {
		return nil, err
	}
	answer := &vci.CredentialResponse{Notification: gov.NewID()}
	for _, t := range texts {
		answer.Credentials = append(answer.Credentials, vci.Credential{Value: t})
	}
	return answer, s.keepIssued(ctx, a, d, want.Format, answer.Notification, places, used)
}

// keepIssued records the copies, the proof and the use of the token in one
// transaction. What became of the document and of the wallet meanwhile counts.
func (s *Credentials) keepIssued(ctx context.Context, a *access, d *Document, format, notification string, places []place, used *seen) error {
	var refused error
	err := s.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if refused, err = used.keep(ctx, tx); err != nil || refused != nil {
			return errors.Join(err, refused)
		}
		r, err := tx.ExecContext(ctx, `UPDATE credential_token SET issued = issued + $2 WHERE hash = $1 AND issued + $2 <= $3`, a.hash, len(places), maxCopies*len(suffixes))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			refused = fmt.Errorf("%w: the token has fetched all that it may", vci.RequestDenied)
			return errors.Join(err, refused)
		}
		kept, err := s.record(ctx, tx, d, format, a.wallet, notification, places)
		if err == nil && !kept {
			refused = fmt.Errorf("%w: the document is not valid", vci.RequestDenied)
		}
		return errors.Join(err, refused)
	})
	if refused != nil {
		return refused
	}
	return err
}

// later is what is kept of a wish that waits.
type later struct {
	Document string
	Type     string
	Format   string
	Keys     [][]byte // PKIX
}

// postpone remembers a wish until the document is signed (OpenID4VCI 1.0 §9).
func (s *Credentials) postpone(ctx context.Context, a *access, want *wish, used *seen) (*vci.CredentialResponse, error) {
	l := later{Document: want.Document, Type: want.Type, Format: want.Format}
	for _, k := range want.Keys {
		b, err := k.Bytes()
		if err != nil {
			return nil, err
		}
		l.Keys = append(l.Keys, b)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	id := gov.NewID()
	var refused error
	err = s.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if refused, err = used.keep(ctx, tx); err != nil || refused != nil {
			return errors.Join(err, refused)
		}
		ends := db.Micros(s.Clock.Now().Add(deferLife))
		// Who waits keeps their token as long.
		if _, err := tx.ExecContext(ctx, `UPDATE credential_token SET ends_at = $2 WHERE hash = $1 AND key <> ''`, a.hash, ends); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credential_deferred (id, token, body, ends_at) VALUES ($1, $2, $3, $4)`, id, a.hash, string(text), ends)
		return err
	})
	if refused != nil {
		return nil, refused
	}
	return &vci.CredentialResponse{Transaction: id, Interval: deferInterval}, err
}
