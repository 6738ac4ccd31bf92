package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// The ways to tell a person something outside of these pages.
const (
	ChannelMail = "email"
	ChannelSMS  = "sms"
	ChannelNone = "none" // they come and look
)

// How often they are told.
const (
	RhythmNow   = "now"   // each thing when it happens
	RhythmDaily = "daily" // once a day, what has a deadline at once all the same
)

// Preferences are how a person wants to be told. The addresses are verified ones.
type Preferences struct {
	Language        gov.Lang
	Channel, Rhythm string
	contacts
}

// contacts lie sealed under the person's key.
type contacts struct {
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"` // E.164
}

// Reach is where and how to tell a person something; Address is empty when they
// chose no channel or verified no address for it.
type Reach struct {
	Language                 gov.Lang
	Channel, Rhythm, Address string
}

const contactsOf = "contacts"

// Preferences returns what a person chose, or what holds until they choose.
func (s *Accounts) Preferences(ctx context.Context, account string) (Preferences, error) {
	p := Preferences{Channel: ChannelNone, Rhythm: RhythmNow}
	var lang string
	var sealed []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT language, channel, rhythm, sealed FROM identity_preference WHERE account = $1`, account).Scan(&lang, &p.Channel, &p.Rhythm, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading preferences: %w", err)
	}
	p.Language = gov.Lang(lang)
	return p, s.openFor(ctx, account, contactsOf, sealed, &p.contacts)
}

// ReachOf returns how to tell a person something.
func (s *Accounts) ReachOf(ctx context.Context, account string) (Reach, error) {
	p, err := s.Preferences(ctx, account)
	r := Reach{Language: p.Language, Channel: p.Channel, Rhythm: p.Rhythm}
	switch p.Channel {
	case ChannelMail:
		r.Address = p.Email
	case ChannelSMS:
		r.Address = p.Phone
	}
	return r, err
}

// SetPreferences keeps what a person chose; addresses are set by Verify alone.
func (s *Accounts) SetPreferences(ctx context.Context, by gov.Actor, lang gov.Lang, channel, rhythm string) error {
	if !slices.Contains([]string{ChannelMail, ChannelSMS, ChannelNone}, channel) || rhythm != RhythmNow && rhythm != RhythmDaily || len(lang) > 8 {
		return problem.New(problem.Invalid, "preference.choice")
	}
	p, err := s.Preferences(ctx, by.ID)
	if err != nil {
		return err
	}
	if channel == ChannelMail && p.Email == "" || channel == ChannelSMS && p.Phone == "" {
		return problem.New(problem.Invalid, "preference.unverified")
	}
	p.Language, p.Channel, p.Rhythm = lang, channel, rhythm
	return s.db.RunTx(ctx, func(tx *db.Tx) error { return s.putPreferences(ctx, tx, by, p) })
}

func (s *Accounts) putPreferences(ctx context.Context, tx *db.Tx, by gov.Actor, p Preferences) error {
	sealed := []byte{}
	if p.contacts != (contacts{}) {
		var err error
		if sealed, err = s.sealFor(ctx, tx, by.ID, contactsOf, p.contacts); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO identity_preference (account, language, channel, rhythm, sealed, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account) DO UPDATE SET language = excluded.language, channel = excluded.channel, rhythm = excluded.rhythm, sealed = excluded.sealed, updated_at = excluded.updated_at`,
		by.ID, string(p.Language), p.Channel, p.Rhythm, sealed, db.Micros(s.clock.Now())); err != nil {
		return fmt.Errorf("keeping preferences: %w", err)
	}
	return s.audit.Append(ctx, tx, chain, by, "preference.put", by.ID, map[string]string{"channel": p.Channel, "rhythm": p.Rhythm, "language": string(p.Language)})
}

// Messenger sends a code to an address that somebody says is theirs.
type Messenger interface {
	// Sends tells whether messages can go by a channel here.
	Sends(channel string) bool
	// SendCode sends one message in plain text.
	SendCode(ctx context.Context, channel, address string, lang gov.Lang, subject, text string) error
}

// Bounds on verifying an address: a code can't be guessed in its time, and nobody
// is flooded with codes in somebody else's name.
const (
	codeTries = 5
	codeTime  = 15 * time.Minute
	codeSends = 3 // that wait at the same time
)

// pendingAddress is what is remembered while a code is on its way.
type pendingAddress struct {
	Channel, Address, Code string
	Tries                  int
}

// ReadAddress checks an address for a channel and writes it in its one form.
// Phones without a country are those of region.
func ReadAddress(channel, address, region string) (string, error) {
	address = strings.TrimSpace(address)
	wrong := problem.New(problem.Invalid, "preference.address")
	switch channel {
	case ChannelMail:
		a, err := netmail.ParseAddress(address)
		if err != nil || a.Address != address || len(address) > 254 || strings.ContainsAny(address, "\"()<>,;:[] ") || !strings.Contains(address[strings.LastIndexByte(address, '@'):], ".") {
			return "", wrong
		}
		return address, nil
	case ChannelSMS:
		if len(address) > 40 {
			return "", wrong
		}
		n, err := phonenumbers.Parse(address, region)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			return "", wrong
		}
		return phonenumbers.Format(n, phonenumbers.E164), nil
	}
	return "", wrong
}

// BeginVerify prepares a code for an address and returns it, to be sent there,
// with the token of the exchange.
func (s *Accounts) BeginVerify(ctx context.Context, account, channel, address string) (token, code string, err error) {
	var waiting int
	if err := s.db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_flow WHERE kind = $1 AND binding = $2 AND expires_at > $3`,
		flowAddress, hashToken(account), db.Micros(s.clock.Now())).Scan(&waiting); err != nil {
		return "", "", err
	}
	if waiting >= codeSends {
		return "", "", problem.New(problem.TooMany, "preference.codes")
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", "", err
	}
	code = fmt.Sprintf("%06d", n)
	token, err = s.openFlow(ctx, flowAddress, account, codeTime, pendingAddress{channel, address, code, 0})
	return token, code, err
}

// FinishVerify keeps the address whose code was brought back. After a wrong code
// the exchange goes on under the token returned, a few times; when it is over the
// token is empty.
func (s *Accounts) FinishVerify(ctx context.Context, by gov.Actor, token, code string) (next string, err error) {
	var p pendingAddress
	if err := s.takeFlow(ctx, flowAddress, by.ID, token, &p); err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare([]byte(NormalNumber(code)), []byte(p.Code)) != 1 {
		if p.Tries++; p.Tries >= codeTries {
			return "", problem.New(problem.Forbidden, "preference.tries")
		}
		if next, err = s.openFlow(ctx, flowAddress, by.ID, codeTime, p); err != nil {
			return "", err
		}
		return next, problem.New(problem.Invalid, "preference.code")
	}
	prefs, err := s.Preferences(ctx, by.ID)
	if err != nil {
		return "", err
	}
	if p.Channel == ChannelMail {
		prefs.Email = p.Address
	} else {
		prefs.Phone = p.Address
	}
	if prefs.Channel == ChannelNone {
		prefs.Channel = p.Channel
	}
	return "", s.db.RunTx(ctx, func(tx *db.Tx) error { return s.putPreferences(ctx, tx, by, prefs) })
}
