package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"diwan/internal/db"
	"diwan/protocol/cms"

	"github.com/digitorus/timestamp"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of an authority.
func Migrations() db.Migrations { return db.Embedded("stamp", migrationFiles) }

// AuthorityOptions says who an authority is.
type AuthorityOptions struct {
	// Certificate is for time stamping alone (pki.Authority.IssueStamp makes
	// such ones); Chain leads from it towards a root, without the root.
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
	// Key signs: on a NIST curve or RSA, which every verifier of stamps knows.
	Key crypto.Signer
	// Policy names the rules that the operator stamps by.
	Policy asn1.ObjectIdentifier
	// Accuracy is how far the clock may be off; 0 is one second, the finest that
	// the time in a stamp shows.
	Accuracy time.Duration
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// Authority gives time stamps (RFC 3161). It is an http.Handler.
type Authority struct {
	db *db.DB
	o  AuthorityOptions
	id string
}

// NewAuthority checks that the key fits the certificate and that the certificate
// is good for stamps. The database holds the tables of Migrations; several copies
// may share it.
func NewAuthority(d *db.DB, o AuthorityOptions) (*Authority, error) {
	if o.Certificate == nil || o.Key == nil || len(o.Policy) < 2 {
		return nil, errors.New("a time-stamp authority needs a certificate, its key and a policy")
	}
	pub, ok := o.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(o.Certificate.PublicKey) {
		return nil, errors.New("the time-stamp key is not that of the certificate")
	}
	switch o.Key.Public().(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey:
	default:
		return nil, errors.New("a time-stamp key must be on a NIST curve or RSA")
	}
	if err := forStamps(o.Certificate); err != nil {
		return nil, err
	}
	if o.Accuracy < time.Second {
		o.Accuracy = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	id := sha256.Sum256(o.Certificate.RawSubjectPublicKeyInfo)
	return &Authority{d, o, hex.EncodeToString(id[:])}, nil
}

// ServeHTTP answers a request of RFC 3161 §3.4. A request that is refused gets a
// proper answer that says so; only what is no request at all gets an HTTP error.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != queryType {
		http.Error(w, "want "+queryType, http.StatusUnsupportedMediaType)
		return
	}
	query, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxQuery))
	if err != nil {
		http.Error(w, "request too large or cut", http.StatusRequestEntityTooLarge)
		return
	}
	answer, err := a.Issue(r.Context(), query)
	if err != nil {
		http.Error(w, "the stamp could not be noted", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", answerType)
	w.Header().Set("Cache-Control", "no-store")
	w.Write(answer)
}

// Issue answers a request in DER. An error means that nothing was stamped because
// the authority could not note it or could not sign; a request that it refuses
// gets an answer.
func (a *Authority) Issue(ctx context.Context, query []byte) ([]byte, error) {
	q, failure := a.read(query)
	if failure >= 0 {
		return timestamp.CreateErrorResponse(timestamp.Rejection, failure)
	}
	now := a.o.Now().UTC().Truncate(time.Second)
	if now.Before(a.o.Certificate.NotBefore) || now.After(a.o.Certificate.NotAfter) {
		return timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.TimeNotAvailable)
	}
	s := timestamp.Timestamp{
		HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Time: now, Accuracy: a.o.Accuracy, Policy: a.o.Policy,
		Nonce: q.Nonce, AddTSACertificate: q.Certificates, Certificates: a.o.Chain,
	}
	// Serial numbers are drawn from 160 bits; one that was given before is drawn
	// again, which happens never or when the source of chance is broken.
	for range 3 {
		answer, err := s.CreateResponseWithOpts(a.o.Certificate, a.o.Key, crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("signing a time stamp: %w", err)
		}
		err = a.note(ctx, answer, now, q.HashedMessage)
		if err == nil {
			return answer, nil
		}
		if !db.IsDuplicate(err) {
			return nil, fmt.Errorf("noting a time stamp: %w", err)
		}
	}
	return nil, errors.New("no serial number is free: the source of chance is broken")
}

// read checks a request; a failure of -1 means that it is good.
func (a *Authority) read(query []byte) (*timestamp.Request, timestamp.FailureInfo) {
	if len(query) > MaxQuery {
		return nil, timestamp.BadDataFormat
	}
	// The version and the hash first: they have failures of their own.
	var version int
	var im imprint
	if err := firstFields(query, &version, &im); err != nil {
		return nil, timestamp.BadDataFormat
	}
	if version != 1 {
		return nil, timestamp.BadRequest
	}
	if cms.HashOf(im.Hash.Algorithm) == 0 {
		return nil, timestamp.BadAlgorithm
	}
	q, err := timestamp.ParseRequest(query)
	switch {
	case err != nil, len(q.HashedMessage) != q.HashAlgorithm.Size():
		return nil, timestamp.BadDataFormat
	case q.Nonce != nil && (q.Nonce.Sign() < 0 || q.Nonce.BitLen() > 8*maxSerial):
		return nil, timestamp.BadDataFormat
	case len(q.Extensions) > 0:
		return nil, timestamp.UnacceptedExtension
	case q.TSAPolicyOID != nil && !q.TSAPolicyOID.Equal(a.o.Policy):
		return nil, timestamp.UnacceptedPolicy
	}
	return q, -1
}

// firstFields reads the first two fields of a DER sequence.
func firstFields(b []byte, first, second any) error {
	var seq asn1.RawValue
	if err := one(b, &seq, "request"); err != nil {
		return err
	}
	rest, err := asn1.Unmarshal(seq.Bytes, first)
	if err != nil {
		return err
	}
	_, err = asn1.Unmarshal(rest, second)
	return err
}

// note keeps the serial number of an answer before the answer leaves.
func (a *Authority) note(ctx context.Context, answer []byte, at time.Time, digest []byte) error {
	serial, err := serialOf(answer)
	if err != nil {
		return err
	}
	return a.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO stamp_issued (authority, serial, stamped_at, imprint) VALUES ($1, $2, $3, $4)`,
			a.id, serial, db.Micros(at), bytes.Clone(digest))
		return err
	})
}

// serialOf reads the serial number of our own answer, which may come without
// certificates when the request did not want them.
func serialOf(answer []byte) (string, error) {
	var r cms.StampResponse
	if err := one(answer, &r, "answer"); err != nil {
		return "", err
	}
	t, err := open(r.Token.FullBytes)
	if err != nil {
		return "", err
	}
	return t.info.Serial.Text(16), nil
}

// Issued counts the stamps that are noted.
func (a *Authority) Issued(ctx context.Context) (n int64, err error) {
	err = a.db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM stamp_issued WHERE authority = $1`, a.id).Scan(&n)
	return n, err
}

// Forget drops the notes of stamps older than the time; that no number comes twice
// rests on chance alone for those.
func (a *Authority) Forget(ctx context.Context, before time.Time) error {
	return a.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM stamp_issued WHERE authority = $1 AND stamped_at < $2`, a.id, db.Micros(before))
		return err
	})
}
