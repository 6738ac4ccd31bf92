package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"

	"diwan/protocol/cms"
)

const (
	queryType  = "application/timestamp-query"
	answerType = "application/timestamp-reply"
)

// DefaultSkew is how far the authority's clock may be from ours.
const DefaultSkew = 5 * time.Minute

// Client asks one time-stamp authority.
type Client struct {
	// URL is where the authority takes requests by HTTP POST (RFC 3161 §3.4).
	URL   string
	Trust Trust
	// HTTP sends the requests; nil is a client that gives up after 15 seconds.
	HTTP *http.Client
	// Skew bounds the distance of the stamped time from now; 0 is DefaultSkew.
	Skew time.Duration
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

var quiet = &http.Client{Timeout: 15 * time.Second}

// Stamp asks for a stamp of data and checks the answer, which it returns whole,
// as it came, with the time in it. The authority learns the SHA-256 of data only.
func (c *Client) Stamp(ctx context.Context, data []byte) ([]byte, time.Time, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, time.Time{}, err
	}
	q := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: cms.Digest(crypto.SHA256, data), Certificates: true, Nonce: nonce}
	if len(c.Trust.Policies) == 1 {
		q.TSAPolicyOID = c.Trust.Policies[0]
	}
	der, err := q.Marshal()
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("writing a time-stamp request: %w", err)
	}
	b, err := c.post(ctx, der)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("asking the time-stamp authority: %w", err)
	}
	tok, err := Verify(b, data, c.Trust)
	if err != nil {
		return nil, time.Time{}, err
	}
	if tok.nonce == nil || tok.nonce.Cmp(nonce) != 0 {
		return nil, time.Time{}, ErrNonce
	}
	if d := tok.Time.Sub(c.now()).Abs(); d > c.skew() {
		return nil, time.Time{}, fmt.Errorf("%w: %s from our clock", ErrTime, d.Round(time.Second))
	}
	return b, tok.Time, nil
}

func (c *Client) post(ctx context.Context, query []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", queryType)
	r.Header.Set("Accept", answerType)
	client := c.HTTP
	if client == nil {
		client = quiet
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t != answerType {
		return nil, errors.New("the answer is of another type")
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err == nil && len(b) > MaxAnswer {
		err = fmt.Errorf("the answer is longer than %d bytes", MaxAnswer)
	}
	return b, err
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Client) skew() time.Duration {
	if c.Skew == 0 {
		return DefaultSkew
	}
	return c.Skew
}
