// Package mail sends electronic mail: to a server in production, to a list in
// memory in a demonstration, from where nothing ever leaves.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
)

// Message is one mail in plain text to one person.
type Message struct {
	To, Subject, Text string
	Lang              string // of subject and text
	// Unsubscribe is the address that ends the mails with one request (RFC 8058);
	// empty for mails that were ordered one by one.
	Unsubscribe string
	ID          string // the same for every attempt, so that a second copy can be told
	At          time.Time
}

// Sender sends messages. An error means that it is worth trying again later.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// ErrAddress says that what was given is no address.
var ErrAddress = errors.New("this is not an address for electronic mail")

// maxAddress is how long an address can be (RFC 5321, section 4.5.3.1).
const maxAddress = 254

// Address checks an address that somebody typed and returns it bare. An address
// of a machine by its number is refused: our server would knock there.
func Address(s string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxAddress || strings.ContainsAny(s, "\r\n\x00<>,;\"()[] ") {
		return "", ErrAddress
	}
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || !strings.Contains(s[strings.LastIndexByte(s, '@')+1:], ".") {
		return "", ErrAddress
	}
	return s, nil
}

// Server is where mail is handed over.
type Server struct {
	Host     string // host:port
	From     string
	User     string // empty does not sign in
	Password string
	// Plain talks without TLS, for a server on the same machine.
	Plain bool
}

const timeout = 30 * time.Second

// Send hands a message over, encrypted unless the server is said to be plain.
func (s *Server) Send(ctx context.Context, m Message) error {
	host, port, err := net.SplitHostPort(s.Host)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	msg, err := s.build(m)
	if err != nil {
		return err
	}
	opts := []mail.Option{mail.WithPort(n), mail.WithTimeout(timeout)}
	switch {
	case s.Plain:
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	case port == "465":
		opts = append(opts, mail.WithSSL())
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.User != "" {
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	c, err := mail.NewClient(host, opts...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("sending mail: %w", err)
	}
	return nil
}

func (s *Server) build(m Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.From(s.From); err != nil {
		return nil, fmt.Errorf("mail sender: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("mail recipient: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.At)
	if m.ID != "" {
		msg.SetMessageIDWithValue(m.ID)
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Lang != "" {
		msg.SetGenHeader("Content-Language", m.Lang)
	}
	if m.Unsubscribe != "" {
		msg.SetGenHeader(mail.HeaderListUnsubscribe, "<"+m.Unsubscribe+">")
		msg.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	return msg, nil
}

// maxCaught bounds what a catcher keeps.
const maxCaught = 200

// Catcher keeps messages instead of sending them. It is safe for concurrent use.
type Catcher struct {
	mu   sync.Mutex
	list []Message
}

// Send keeps a message.
func (c *Catcher) Send(_ context.Context, m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list = append(c.list, m); len(c.list) > maxCaught {
		c.list = append([]Message(nil), c.list[len(c.list)-maxCaught:]...)
	}
	return nil
}

// Caught returns the messages, the newest first.
func (c *Catcher) Caught() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Message, 0, len(c.list))
	for i := len(c.list) - 1; i >= 0; i-- {
		out = append(out, c.list[i])
	}
	return out
}
