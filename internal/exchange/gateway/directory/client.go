package directory

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/snapshot"
	"diwan/protocol/httpsig"
)

// root is where the directory's interface for gateways begins.
const root = "/api/v1/exchange"

// requestTag stands in the signatures of calls.
const requestTag = "diwan-directory-1"

// maxAnswer bounds what is read of an answer; parts and the index are the
// largest.
const maxAnswer = snapshot.MaxIndex

// Error is a refusal by the directory.
type Error struct {
	Status int
	Code   string // stable, such as exchange.token
	Detail string // for people
}

func (e *Error) Error() string {
	return fmt.Sprintf("the directory refused: %d %s %s", e.Status, e.Code, e.Detail)
}

// ErrUnreachable says that the directory did not answer.
var ErrUnreachable = errors.New("the directory can't be reached")

// Options are what a client may need. Signer is nil for a node that has not
// joined yet: such a client makes open calls only.
type Options struct {
	Signer crypto.Signer // the node's link key, Ed25519
	HTTP   *http.Client
	Now    func() time.Time
}

// Client calls the directory. It is safe for concurrent use.
type Client struct {
	base   string
	http   *http.Client
	signer *httpsig.Signer
	now    func() time.Time
}

// New returns a client of the directory at an https address. A plain one is
// accepted on this machine only: elsewhere a token would be there to read.
func New(address string, o Options) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, fmt.Errorf("the directory's address %q is not https://host[:port]", address)
	}
	c := &Client{base: strings.TrimSuffix(address, "/") + root, http: o.HTTP, now: o.Now}
	if c.http == nil {
		c.http = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if o.Signer != nil {
		der, err := x509.MarshalPKIXPublicKey(o.Signer.Public())
		if err != nil {
			return nil, fmt.Errorf("the link key: %w", err)
		}
		id := snapshot.KeyID(der)
		c.signer = &httpsig.Signer{KeyID: hex.EncodeToString(id[:]), Alg: httpsig.Ed25519, Key: o.Signer}
	}
	return c, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var _ snapshot.Source = (*Client)(nil)

// Index implements snapshot.Source.
func (c *Client) Index(ctx context.Context, have string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/index", nil)
	if err != nil {
		return nil, err
	}
	if have != "" {
		req.Header.Set("If-None-Match", `"`+have+`"`)
	}
	status, body, err := c.do(req)
	if err != nil || status == http.StatusNotModified {
		return nil, err
	}
	return body, nil
}

// Part implements snapshot.Source.
func (c *Client) Part(ctx context.Context, hash string) ([]byte, error) {
	return c.get(ctx, "/parts/"+url.PathEscape(hash))
}

// Description returns the OpenAPI file with a hash, which is checked.
func (c *Client) Description(ctx context.Context, hash string) ([]byte, error) {
	b, err := c.get(ctx, "/descriptions/"+url.PathEscape(hash))
	if err == nil && snapshot.Hash(b) != hash {
		return nil, fmt.Errorf("the description %s has other bytes than its name says", hash)
	}
	return b, err
}

// Trust returns what the directory says of itself, and its clock as far as the
// answer shows it (zero when it does not).
func (c *Client) Trust(ctx context.Context) (t Trust, clock time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/trust", nil)
	if err != nil {
		return t, clock, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return t, clock, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	clock, _ = http.ParseTime(resp.Header.Get("Date"))
	_, body, err := answer(resp)
	if err == nil {
		err = json.Unmarshal(body, &t)
	}
	return t, clock, err
}

// Enrol brings a new node in.
func (c *Client) Enrol(ctx context.Context, e Enrolment) (*Admission, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/enrol", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	_, out, err := c.do(req)
	if err != nil {
		return nil, err
	}
	var a Admission
	return &a, json.Unmarshal(out, &a)
}

// Renew asks for a new certificate.
func (c *Client) Renew(ctx context.Context, r Renewal) (*Admission, error) {
	var a Admission
	return &a, c.signed(ctx, http.MethodPost, "/renew", r, &a)
}

// SetNode tells where this node is and whether it is closed for now.
func (c *Client) SetNode(ctx context.Context, s NodeState) error {
	return c.signed(ctx, http.MethodPut, "/node", s, nil)
}

// SetSubsystem registers an information system of the member.
func (c *Client) SetSubsystem(ctx context.Context, code string, name map[string]string) error {
	return c.signed(ctx, http.MethodPut, "/subsystems/"+url.PathEscape(code), map[string]any{"name": name}, nil)
}

// SetService registers what a subsystem offers.
func (c *Client) SetService(ctx context.Context, subsystem, code string, o Offer) error {
	return c.signed(ctx, http.MethodPut, "/services/"+url.PathEscape(subsystem)+"/"+url.PathEscape(code), o, nil)
}

// Contracts returns the member's contracts that changed after a cursor, and the
// next cursor; "" begins.
func (c *Client) Contracts(ctx context.Context, after string) (list []Contract, next string, err error) {
	var out struct {
		Items []Contract `json:"items"`
		Next  string     `json:"next"`
	}
	path := "/contracts"
	if after != "" {
		path += "?after=" + url.QueryEscape(after)
	}
	err = c.signed(ctx, http.MethodGet, path, nil, &out)
	return out.Items, out.Next, err
}

// Propose brings a new contract with the member's acceptance.
func (c *Client) Propose(ctx context.Context, content []byte, jws string) (hash string, err error) {
	var out struct {
		Hash string `json:"hash"`
	}
	err = c.signed(ctx, http.MethodPost, "/contracts", map[string]any{"content": content, "signature": jws}, &out)
	return out.Hash, err
}

// Answer brings the member's acceptance, rejection or revocation of a contract.
func (c *Client) Answer(ctx context.Context, hash string, kind contract.Kind, jws string) error {
	return c.signed(ctx, http.MethodPut, "/contracts/"+url.PathEscape(hash)+"/"+string(kind), map[string]string{"signature": jws}, nil)
}

// Notices reports exchanges about people; doing so again changes nothing.
func (c *Client) Notices(ctx context.Context, list []Notice) error {
	return c.signed(ctx, http.MethodPost, "/notices", map[string]any{"items": list}, nil)
}

// Usage reports counters; those of an hour replace what was said of it before.
func (c *Client) Usage(ctx context.Context, list []Usage) error {
	return c.signed(ctx, http.MethodPost, "/usage", map[string]any{"items": list}, nil)
}

func (c *Client) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	_, body, err := c.do(req)
	return body, err
}

// signed makes a call under the node's signature: method, path, query and the
// digest of the body, with a nonce.
func (c *Client) signed(ctx context.Context, method, path string, in, out any) error {
	if c.signer == nil {
		return errors.New("this node has no link key to sign with")
	}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	covered := httpsig.Cs("@method", "@path", "@query")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
		digest, err := httpsig.ContentDigest(httpsig.SHA256, body)
		if err != nil {
			return err
		}
		req.Header.Set(httpsig.HeaderDigest, digest)
		covered = append(covered, httpsig.C("content-digest"))
	}
	err = httpsig.SignRequest(req, *c.signer, httpsig.SignOptions{Label: "sig1", Components: covered,
		Params: httpsig.Params{Created: c.now(), Alg: httpsig.Ed25519, Nonce: rand.Text(), Tag: requestTag}})
	if err != nil {
		return err
	}
	_, answer, err := c.do(req)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("reading the directory's answer: %w", err)
	}
	return nil
}

func (c *Client) do(req *http.Request) (int, []byte, error) {
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	return answer(resp)
}

func answer(resp *http.Response) (int, []byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	switch {
	case len(body) > maxAnswer:
		return 0, nil, fmt.Errorf("the directory's answer has more than %d bytes", maxAnswer)
	case resp.StatusCode >= 500:
		return 0, nil, fmt.Errorf("%w: status %d", ErrUnreachable, resp.StatusCode)
	case resp.StatusCode >= 400 || resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotModified:
		e := &Error{Status: resp.StatusCode}
		var p struct{ Code, Detail string }
		if json.Unmarshal(body, &p) == nil {
			e.Code, e.Detail = p.Code, p.Detail
		}
		return resp.StatusCode, nil, e
	}
	return resp.StatusCode, body, nil
}
