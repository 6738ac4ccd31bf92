package gateway

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/protocol/link"
)

// noteHTTP is the type of the journal's record of a message of the second profile.
// Its payload is a proof on its own, like an envelope of the link: the text that
// was signed holds the head and the digest of the body.
//
//	flags u8 (1 sent, 2 response) | id 16 | keyid 8 | siglen u16 | signature | base
const noteHTTP = journal.FirstNote + 1

const (
	flagSent     = 1
	flagResponse = 2
)

type httpNote struct {
	sent, response bool
	id             [16]byte
	key            link.KeyID
	signature      []byte
	base           []byte // of the signature (RFC 9421, 2.5)
	head           []byte // as it stands in base
}

func (n *httpNote) append(dst []byte) []byte {
	flags := byte(0)
	if n.sent {
		flags |= flagSent
	}
	if n.response {
		flags |= flagResponse
	}
	dst = append(dst, flags)
	dst = append(dst, n.id[:]...)
	dst = append(dst, n.key[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(n.signature)))
	dst = append(dst, n.signature...)
	return append(dst, n.base...)
}

var errHTTPNote = errors.New("not a record of the second profile")

// headLine finds the head in a signature base.
var headLine = regexp.MustCompile(`(?m)^"diwan-head": :([A-Za-z0-9+/=]*):$`)

// nonceParam finds the nonce among the parameters of a signature.
var nonceParam = regexp.MustCompile(`(?m)^"@signature-params": .*;nonce="([^"]*)"`)

func (n *httpNote) nonce() (string, bool) {
	m := nonceParam.FindSubmatch(n.base)
	if m == nil {
		return "", false
	}
	return string(m[1]), true
}

func readHTTPNote(b []byte) (*httpNote, error) {
	const fixed = 1 + 16 + 8 + 2
	if len(b) < fixed || b[0] > flagSent|flagResponse {
		return nil, errHTTPNote
	}
	n := &httpNote{sent: b[0]&flagSent != 0, response: b[0]&flagResponse != 0, id: [16]byte(b[1:17]), key: link.KeyID(b[17:25])}
	size := int(binary.BigEndian.Uint16(b[25:]))
	if b = b[fixed:]; size > len(b) {
		return nil, errHTTPNote
	}
	n.signature, n.base = b[:size], b[size:]
	m := headLine.FindSubmatch(n.base)
	if m == nil {
		return nil, errHTTPNote
	}
	head, err := base64.StdEncoding.DecodeString(string(m[1]))
	if err != nil {
		return nil, errHTTPNote
	}
	n.head = head
	return n, nil
}

// ErrNoteSignature says that a record of the second profile was not signed so.
var ErrNoteSignature = errors.New("the signature of a record of the second profile does not hold")

// VerifyNote checks a record of the journal that is not one of the link's: one of
// the second profile has its signature verified under the key that the record
// names, as it was valid then. Other notes are no proofs; for them and for what
// holds, it returns nil.
func VerifyNote(e journal.Entry, keys func(id link.KeyID, at time.Time) (ed25519.PublicKey, error)) error {
	if e.Type != noteHTTP {
		return nil
	}
	n, err := readHTTPNote(e.Payload)
	if err != nil {
		return err
	}
	key, err := keys(n.key, e.At)
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, n.base, n.signature) {
		return fmt.Errorf("%w: record %d", ErrNoteSignature, e.Seq)
	}
	return nil
}

func keyIDOf(s string) (id link.KeyID, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, false
	}
	return link.KeyID(b), true
}
