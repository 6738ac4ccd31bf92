package httpsig

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// The profile "diwan-exchange-1": two gateways exchange X-Road messages over
// plain HTTP, signed with this package. The message's head travels as bytes in a
// field of its own, because HTTP keeps neither the order nor the spelling of
// fields; the signature covers it and the digest of the body, the same two that
// the X-Road request hash is made from.
//
//	request   ("@method" "@authority" "content-digest" "diwan-head")
//	response  ("@status" "content-digest" "diwan-head" "x-road-request-hash" "signature";req)
//
// with created, expires, keyid, alg, nonce and the tag. With Streamed, for bodies
// whose digest is known at their end, content-digest, Signature-Input and
// Signature stand in the trailers, and "content-digest";tr is covered.
const (
	ExchangeTag         = "diwan-exchange-1"
	ExchangeLabel       = "diwan"
	HeaderHead          = "Diwan-Head"
	HeaderRequestHash   = "X-Road-Request-Hash"
	ExchangeMaxValidity = 60 * time.Second
	ExchangeMaxHead     = 8 << 10 // bytes of a head that fits in a field
)

// ErrReplay says that a message with this nonce was already accepted; ErrPeer,
// that the key is not one of the member on the other end of the connection.
var (
	ErrReplay = errors.New("the message was already received")
	ErrPeer   = errors.New("the key is not the peer's")
)

// ExchangeKeys finds a signing key and the member that it belongs to, in whatever
// list of members the gateway trusts at the moment.
type ExchangeKeys interface {
	ExchangeKey(ctx context.Context, keyID string) (key Key, member string, err error)
}

// Replay remembers nonces. Seen only looks, so that a cheap refusal comes early;
// Record takes the nonce of a message whose signature was found good and tells,
// in one atomic step, whether it was new. A nonce may be forgotten after until.
type Replay interface {
	Seen(ctx context.Context, keyID, nonce string) (bool, error)
	Record(ctx context.Context, keyID, nonce string, until time.Time) (fresh bool, err error)
}

// Outgoing is what a gateway sends by the profile.
type Outgoing struct {
	Signer      Signer // Ed25519 or ECDSAP256
	Head        []byte
	BodySum     [sha512.Size]byte // SHA-512 of the body as sent; of no bytes for none
	RequestHash string            // of a response: the X-Road request hash
	Now         time.Time
	Validity    time.Duration // at most ExchangeMaxValidity; 0: that
	Streamed    bool
}

// SignExchangeRequest signs a request by the profile. It sets Diwan-Head,
// Content-Digest, Signature-Input and Signature and returns the signature base.
func SignExchangeRequest(m *Message, o Outgoing) ([]byte, error) {
	return signExchange(m, o, requestComponents(o.Streamed))
}

// SignExchangeResponse signs a response by the profile; m.Request must be the
// signed request as it was received.
func SignExchangeResponse(m *Message, o Outgoing) ([]byte, error) {
	if m.Request == nil || m.Status == 0 {
		return nil, fmt.Errorf("%w: a response without its request", ErrMalformed)
	}
	m.Header.Set(HeaderRequestHash, o.RequestHash)
	return signExchange(m, o, responseComponents(o.Streamed, m.Request.streamed()))
}

func requestComponents(streamed bool) []Component {
	return []Component{C("@method"), C("@authority"), {Name: "content-digest", TR: streamed}, C("diwan-head")}
}

// responseComponents bind the request's signature, wherever that one stands.
func responseComponents(streamed, requestStreamed bool) []Component {
	return []Component{C("@status"), {Name: "content-digest", TR: streamed}, C("diwan-head"), C("x-road-request-hash"),
		{Name: "signature", Req: true, TR: requestStreamed}}
}

// streamed tells where a message carries its signature.
func (m *Message) streamed() bool { return len(m.Header.Values(HeaderSignature)) == 0 }

func signExchange(m *Message, o Outgoing, covered []Component) ([]byte, error) {
	if !exchangeAlgorithm(o.Signer.Alg) {
		return nil, fmt.Errorf("%w: the profile has no %q", ErrKey, string(o.Signer.Alg))
	}
	if len(o.Head) == 0 || len(o.Head) > ExchangeMaxHead {
		return nil, fmt.Errorf("%w: a head of %d bytes, at most %d fit in a field", ErrMalformed, len(o.Head), ExchangeMaxHead)
	}
	if o.Validity <= 0 || o.Validity > ExchangeMaxValidity {
		o.Validity = ExchangeMaxValidity
	}
	if o.Streamed && m.Trailer == nil {
		return nil, fmt.Errorf("%w: no trailers to write to", ErrMalformed)
	}
	m.Header.Set(HeaderHead, ":"+base64.StdEncoding.EncodeToString(o.Head)+":")
	digest := FormatDigest(SHA512, o.BodySum[:])
	if o.Streamed {
		m.Trailer.Set(HeaderDigest, digest)
	} else {
		m.Header.Set(HeaderDigest, digest)
	}
	return Sign(m, o.Signer, SignOptions{
		Label: ExchangeLabel, Components: covered, InTrailer: o.Streamed,
		Params: Params{Created: o.Now, Expires: o.Now.Add(o.Validity), Alg: o.Signer.Alg, Nonce: rand.Text(), Tag: ExchangeTag},
	})
}

func exchangeAlgorithm(a Algorithm) bool { return a == Ed25519 || a == ECDSAP256 }

// ExchangeVerifier holds what a gateway needs to verify messages of the profile.
type ExchangeVerifier struct {
	Keys   ExchangeKeys
	Replay Replay
	Skew   time.Duration    // of clocks
	Now    func() time.Time // nil: time.Now
}

// Incoming is a message of the profile that was found good.
type Incoming struct {
	Verified
	Member string // to whom the key belongs
	Head   []byte
}

// VerifyExchangeRequest checks a request by the profile, in this order: the key
// belongs to peer, the member that the connection was authenticated as; the times
// hold; the nonce is unseen; bodySum, the SHA-512 of the bytes received, is the
// announced digest; the signature verifies; the nonce is recorded. What follows,
// the contract and the durable log, is the gateway's. It is called when the body
// was read to its end.
func (v ExchangeVerifier) VerifyExchangeRequest(ctx context.Context, m *Message, peer string, bodySum [sha512.Size]byte) (*Incoming, error) {
	return v.verify(ctx, m, peer, bodySum, requestComponents(m.streamed()))
}

// VerifyExchangeResponse checks the response to m.Request, the request as it was
// sent, in the same order; requestHash is what the consumer computed itself.
func (v ExchangeVerifier) VerifyExchangeResponse(ctx context.Context, m *Message, peer string, bodySum [sha512.Size]byte, requestHash string) (*Incoming, error) {
	if m.Request == nil || m.Status == 0 {
		return nil, fmt.Errorf("%w: a response without its request", ErrMalformed)
	}
	if got := m.Header.Values(HeaderRequestHash); len(got) != 1 || got[0] != requestHash {
		return nil, fmt.Errorf("%w: it answers another request", ErrPolicy)
	}
	return v.verify(ctx, m, peer, bodySum, responseComponents(m.streamed(), m.Request.streamed()))
}

func (v ExchangeVerifier) verify(ctx context.Context, m *Message, peer string, bodySum [sha512.Size]byte, covered []Component) (*Incoming, error) {
	streamed := m.streamed()
	s, err := exchangeSignature(m, streamed)
	if err != nil {
		return nil, err
	}
	key, member, err := v.Keys.ExchangeKey(ctx, s.params.KeyID)
	if err != nil {
		return nil, fmt.Errorf("looking up the key %.80q: %w", s.params.KeyID, err)
	}
	if member != peer {
		return nil, fmt.Errorf("%w: it belongs to %.200q", ErrPeer, member)
	}
	policy := Policy{Components: covered, Algorithms: []Algorithm{Ed25519, ECDSAP256}, MaxAge: ExchangeMaxValidity,
		MaxValidity: ExchangeMaxValidity, Skew: v.Skew, Nonce: true, Now: v.Now}
	if err := policy.accepts(s); err != nil {
		return nil, err
	}
	if err := policy.allows(s, key); err != nil {
		return nil, err
	}
	seen, err := v.Replay.Seen(ctx, s.params.KeyID, s.params.Nonce)
	if err != nil {
		return nil, fmt.Errorf("looking for the nonce: %w", err)
	}
	if seen {
		return nil, ErrReplay
	}
	head, err := exchangeBody(m, streamed, bodySum)
	if err != nil {
		return nil, err
	}
	text, err := base(m, s.list, s.components)
	if err != nil {
		return nil, err
	}
	if err := key.verify(text, s.value); err != nil {
		return nil, err
	}
	fresh, err := v.Replay.Record(ctx, s.params.KeyID, s.params.Nonce, s.params.Expires.Add(v.Skew))
	if err != nil {
		return nil, fmt.Errorf("recording the nonce: %w", err)
	}
	if !fresh {
		return nil, ErrReplay
	}
	return &Incoming{Verified{s.label, s.params, s.components, text, s.value}, member, head}, nil
}

// exchangeSignature finds the one signature of the profile.
func exchangeSignature(m *Message, streamed bool) (signature, error) {
	all, err := signatures(m, streamed)
	if err != nil {
		return signature{}, err
	}
	for _, s := range all {
		if s.label == ExchangeLabel && s.params.Tag == ExchangeTag {
			return s, nil
		}
	}
	return signature{}, fmt.Errorf("%w of the profile %s", ErrNoSignature, ExchangeTag)
}

// exchangeBody checks the digest and reads the head.
func exchangeBody(m *Message, streamed bool, bodySum [sha512.Size]byte) ([]byte, error) {
	from := m.Header
	if streamed {
		from = m.Trailer
	}
	sums, err := ParseDigest(from.Values(HeaderDigest))
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(sums[SHA512], bodySum[:]) != 1 {
		return nil, fmt.Errorf("%w: %s", ErrDigest, SHA512)
	}
	lines := m.Header.Values(HeaderHead)
	if len(lines) != 1 || len(lines[0]) > base64.StdEncoding.EncodedLen(ExchangeMaxHead)+2 || !strings.HasPrefix(lines[0], ":") {
		return nil, fmt.Errorf("%w: the field %s", ErrMalformed, HeaderHead)
	}
	item, err := httpsfv.UnmarshalItem(lines)
	head, ok := item.Value.([]byte)
	if err != nil || !ok || len(item.Params.Names()) > 0 || len(head) == 0 {
		return nil, fmt.Errorf("%w: the field %s", ErrMalformed, HeaderHead)
	}
	return head, nil
}
