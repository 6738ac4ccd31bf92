package gateway

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/exchange/translog"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// spoken is what a record of the journal says of an exchange, and who said it.
type spoken struct {
	seq     uint64
	at      time.Time // of this gateway's clock
	sent    bool
	kind    link.Kind
	id      string // of the request
	signer  string // member, "" when the signature does not hold
	created time.Time
	head    []byte
	body    [sha512.Size]byte
	hasBody bool           // the body's digest is in the record
	env     *link.Envelope // of the link; nil of the second profile
	refusal string
	// signature and base are those of the second profile.
	signature, base []byte
}

var errNoExchange = errors.New("the record is not one of an exchange")

// readSpoken reads a record. The error says why what it says can't be believed;
// what could be read is returned with it.
func readSpoken(e journal.Entry, v *snapshot.View) (*spoken, error) {
	s := &spoken{seq: e.Seq, at: e.At}
	switch {
	case e.Message != nil:
		return s, s.message(e, v)
	case e.Type == noteHTTP:
		return s, s.note(e, v)
	case e.Type == noteRefusal && len(e.Payload) > 17:
		s.id, s.refusal = uuid([16]byte(e.Payload[:16])), string(e.Payload[17:])
		return s, nil
	}
	return s, errNoExchange
}

func (s *spoken) message(e journal.Entry, v *snapshot.View) error {
	env := e.Message.Envelope
	if err := env.Check(); err != nil {
		return err
	}
	s.sent, s.kind, s.id, s.created, s.head, s.env = e.Message.Sent, env.Kind(), uuid(env.ID()), env.Created().UTC(), e.Message.Head, env
	if !env.Streamed() {
		s.body, s.hasBody = *env.BodyDigest(), true
	}
	if err := journal.CheckHead(e.Message); err != nil {
		return err
	}
	key, err := keyAt(v)(env.Key(), env.Created())
	if err != nil {
		return err
	}
	if err := link.NewVerifier().Verify(env, e.Message.Signature, key); err != nil {
		return err
	}
	s.signer = key.Member()
	return nil
}

var (
	createdParam = regexp.MustCompile(`(?m)^"@signature-params": .*;created=([0-9]{1,12})`)
	digestLine   = regexp.MustCompile(`(?m)^"content-digest": .*sha-512=:([A-Za-z0-9+/=]*):`)
)

func (s *spoken) note(e journal.Entry, v *snapshot.View) error {
	n, err := readHTTPNote(e.Payload)
	if err != nil {
		return err
	}
	s.sent, s.kind, s.id, s.head, s.signature, s.base = n.sent, link.KindRequest, uuid(n.id), n.head, n.signature, n.base
	if n.response {
		s.kind = link.KindResponse
	}
	s.created = e.At
	if m := createdParam.FindSubmatch(n.base); m != nil {
		sec, _ := strconv.ParseInt(string(m[1]), 10, 64)
		s.created = time.Unix(sec, 0).UTC()
	}
	if m := digestLine.FindSubmatch(n.base); m != nil {
		b, err := base64.StdEncoding.DecodeString(string(m[1]))
		if err == nil && len(b) == len(s.body) {
			s.body, s.hasBody = [sha512.Size]byte(b), true
		}
	}
	if err := VerifyNote(e, noteKeyAt(v)); err != nil {
		return err
	}
	k, _ := v.Key(n.key)
	s.signer = k.Member
	return nil
}

// facts are what the record says, for people.
func (s *spoken) facts() []translog.Fact {
	out := []translog.Fact{{Name: "record", Value: strconv.FormatUint(s.seq, 10)}, {Name: "recorded_at", Value: stamped(s.at)}, {Name: "request_id", Value: s.id}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, translog.Fact{Name: name, Value: value})
		}
	}
	if s.refusal != "" {
		add("refused", s.refusal)
		return out
	}
	add("direction", map[bool]string{true: "sent", false: "received"}[s.sent])
	add("signed_by", s.signer)
	add("signed_at", stamped(s.created))
	switch s.kind {
	case link.KindRequest:
		if h, err := xroad.ParseRequestHead(s.head); err == nil {
			add("client", h.Get(xroad.HeaderClient))
			add("method", h.Method)
			add("target", h.Target)
			add("message_id", h.Get(xroad.HeaderID))
		}
	case link.KindResponse:
		if h, err := xroad.ParseResponseHead(s.head); err == nil {
			add("status", strconv.Itoa(h.Status))
			add("contract", h.Get(contractHeader))
		}
	}
	sum := sha512.Sum512(s.head)
	add("head_sha512", hex.EncodeToString(sum[:]))
	if s.hasBody {
		add("body_sha512", hex.EncodeToString(s.body[:]))
	}
	return out
}

func stamped(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// exchangeID tells which exchange a record is of.
func exchangeID(e journal.Entry) (id string, ok bool) {
	switch {
	case e.Message != nil:
		return uuid(e.Message.Envelope.ID()), true
	case e.Type == noteHTTP:
		if n, err := readHTTPNote(e.Payload); err == nil {
			return uuid(n.id), true
		}
	case e.Type == noteRefusal && len(e.Payload) > 17:
		return uuid([16]byte(e.Payload[:16])), true
	}
	return "", false
}

// messageID is the client's own name of an exchange, in a record of its request.
func messageID(e journal.Entry) string {
	head := []byte(nil)
	if e.Message != nil && e.Message.Envelope.Kind() == link.KindRequest {
		head = e.Message.Head
	} else if e.Type == noteHTTP {
		if n, err := readHTTPNote(e.Payload); err == nil && !n.response {
			head = n.head
		}
	}
	if head == nil {
		return ""
	}
	h, err := xroad.ParseRequestHead(head)
	if err != nil {
		return ""
	}
	return h.Get(xroad.HeaderID)
}

// errWho says that a signature is of another than it should be.
func errWho(is, want string) error { return fmt.Errorf("signed by %q, not by %q", is, want) }
