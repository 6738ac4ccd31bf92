package holder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/strict"
)

// devicesPath is where an issuer vouches for wallets of its own, below its identifier.
const devicesPath = "/wallet/api/devices/"

const deviceEnding = ".device.age"

var deviceID = regexp.MustCompile(`^[a-z0-9]{1,64}$`)

// ErrDevice means that an issuer does not vouch for this wallet.
var ErrDevice = errors.New("the issuer does not know this wallet: register its key in your space there")

// device is how one issuer knows this wallet. Another issuer sees another key.
type device struct {
	Issuer string `json:"issuer"`
	ID     string `json:"id"` // empty until it is registered
	Key    []byte `json:"key"`
}

func (s *Store) deviceFile(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:8])+deviceEnding)
}

// device returns how an issuer knows this wallet, nil when it was never asked to.
func (s *Store) device(issuer string) (*device, error) {
	d := &device{}
	err := s.unsealed(s.deviceFile(issuer), d)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && d.Issuer != issuer {
		err = errors.New("it is of another issuer")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key for %s: %w", issuer, err)
	}
	return d, nil
}

// DeviceKey returns the name (RFC 7638) of the key by which an issuer is to know this
// wallet, made when there is none: the person registers it there.
func (w *Wallet) DeviceKey(issuer string) (thumbprint string, err error) {
	if err := oauth.CheckURL(issuer); err != nil {
		return "", fmt.Errorf("%w: %w", ErrAddress, err)
	}
	issuer = strings.TrimSuffix(issuer, "/")
	d, err := w.Store.device(issuer)
	if err != nil {
		return "", err
	}
	if d == nil {
		_, pkcs8, err := newKey()
		if err != nil {
			return "", err
		}
		d = &device{Issuer: issuer, Key: pkcs8}
		if err := w.Store.sealed(w.Store.deviceFile(issuer), d); err != nil {
			return "", fmt.Errorf("keeping the key for %s: %w", issuer, err)
		}
	}
	key, err := readKey(d.Key)
	if err != nil {
		return "", err
	}
	return jws.Thumbprint(key.Public())
}

// Attested keeps under which name an issuer registered this wallet, after the issuer has
// vouched for it. It returns until when that holds; it is renewed by itself.
func (w *Wallet) Attested(ctx context.Context, issuer, id string) (time.Time, error) {
	issuer = strings.TrimSuffix(issuer, "/")
	d, err := w.Store.device(issuer)
	if err != nil {
		return time.Time{}, err
	}
	if d == nil || !deviceID.MatchString(id) {
		return time.Time{}, ErrDevice
	}
	d.ID = id
	a, err := w.vouchedFor(ctx, d)
	if err != nil {
		return time.Time{}, err
	}
	return a.ends, w.Store.sealed(w.Store.deviceFile(issuer), d)
}

// attestation is an issuer's word for this wallet, for a while.
type attestation struct {
	device    *device
	text      string
	ends      time.Time
	challenge string
}

// vouchedFor asks the issuer to vouch for this wallet, which proves its key.
func (w *Wallet) vouchedFor(ctx context.Context, d *device) (*attestation, error) {
	key, err := readKey(d.Key)
	if err != nil {
		return nil, err
	}
	at := d.Issuer + devicesPath + d.ID + "/attestation"
	proof, err := oauth.DPoP{Key: key, Method: http.MethodPost, URL: at, Now: w.now()}.Make()
	if err != nil {
		return nil, err
	}
	a, err := w.do(ctx, call{method: http.MethodPost, address: at + "?" + url.Values{"client": {w.ClientID}}.Encode(), header: http.Header{oauth.DPoPHeader: {proof}}})
	if err != nil {
		return nil, fmt.Errorf("asking the issuer to vouch for this wallet: %w", err)
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("%w (status %d)", ErrDevice, a.status)
	}
	var said struct {
		ID          string `json:"id"`
		Attestation string `json:"attestation"`
		Expires     int64  `json:"expires"`
	}
	if err := strict.Unmarshal(a.body, maxAnswer, &said); err != nil || said.Attestation == "" {
		return nil, fmt.Errorf("%w: the word of the issuer for this wallet", ErrAnswer)
	}
	return &attestation{device: d, text: said.Attestation, ends: time.Unix(said.Expires, 0)}, nil
}

// attest adds the issuer's word for this wallet to what it sends before it has a token,
// and the proof that the word is of this wallet.
func (s *session) attest(ctx context.Context, head http.Header) error {
	if s.word == nil {
		d, err := s.w.Store.device(strings.TrimSuffix(s.issuer.Issuer, "/"))
		if err != nil || d == nil || d.ID == "" {
			return err
		}
		if s.word, err = s.w.vouchedFor(ctx, d); err != nil {
			return err
		}
	}
	key, err := readKey(s.word.device.Key)
	if err != nil {
		return err
	}
	pop, err := oauth.ClientPoP{ClientID: s.w.ClientID, Audience: s.server.Issuer, Now: s.w.now(), Challenge: s.word.challenge}.Sign(key)
	if err != nil {
		return fmt.Errorf("proving the key of this wallet: %w", err)
	}
	head.Set(oauth.AttestationHeader, s.word.text)
	head.Set(oauth.AttestationPoPHeader, pop)
	return nil
}

// challenged takes the server's challenge for the proof, and tells whether the request
// failed for the lack of it.
func (s *session) challenged(a *answer) bool {
	fresh := a.header.Get(oauth.AttestationChallengeHeader)
	if s.word == nil || fresh == "" || len(fresh) > 4096 {
		return false
	}
	s.word.challenge = fresh
	return a.status != http.StatusOK && a.status != http.StatusCreated && oauth.ParseError(a.body).Code == oauth.UseAttestationChallenge
}

// sealed and unsealed keep a value in a file that only its owner can read.
func (s *Store) sealed(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.put(name, b)
}

func (s *Store) unsealed(name string, v any) error {
	b, err := s.get(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
