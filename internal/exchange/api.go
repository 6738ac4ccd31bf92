package exchange

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/httpsig"
)

// Root is where the interface for gateways begins.
const Root = "/api/v1/exchange/"

// RequestTag stands in the signatures of what gateways send to the directory.
const RequestTag = "diwan-directory-1"

// RequestAge is how old such a signature may be.
const RequestAge = 60 * time.Second

// API is the directory for gateways.
type API struct {
	Exchange *Exchange
	Site     *web.Site
}

//go:embed openapi.json
var openapiFile []byte

// OpenAPI describes the interface; the program joins it to those of the other
// slices.
func OpenAPI() []byte { return openapiFile }

// Routes is how many operations the interface has.
func Routes() int { return len((&API{}).routes()) }

// routes are the operations of the interface, by method and path.
func (a *API) routes() map[string]func(http.ResponseWriter, *http.Request) error {
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /index":                       a.getIndex,
		"GET /parts/{hash}":                a.bytes("application/json", a.Exchange.Part),
		"GET /descriptions/{hash}":         a.bytes("application/octet-stream", a.Exchange.Description),
		"GET /trust":                       a.getTrust,
		"POST /enrol":                      a.enrol,
		"POST /renew":                      a.signed(a.renew),
		"PUT /node":                        a.signed(a.putNode),
		"PUT /subsystems/{code}":           a.signed(a.putSubsystem),
		"PUT /services/{subsystem}/{code}": a.signed(a.putService),
		"GET /contracts":                   a.signed(a.contracts),
		"POST /contracts":                  a.signed(a.propose),
		"PUT /contracts/{hash}/{kind}":     a.signed(a.answerContract),
		"POST /notices":                    a.signed(a.notices),
		"POST /usage":                      a.signed(a.usage),
	}
}

// Register adds the addresses to the mux of the whole interface.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, handle := range a.routes() {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+strings.TrimSuffix(Root, "/")+path, func(w http.ResponseWriter, r *http.Request) {
			if err := handle(w, r); err != nil {
				a.Site.Fail(w, r, err)
			}
		})
	}
}

func (a *API) getIndex(w http.ResponseWriter, r *http.Request) error {
	signed, print, err := a.Exchange.Index(r.Context())
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", `"`+print+`"`)
	h.Set("Cache-Control", "no-cache")
	if strings.Trim(r.Header.Get("If-None-Match"), `"`) == print {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/jose")
	w.Write(signed)
	return nil
}

// bytes answers what is named by its hash and so never changes.
func (a *API) bytes(kind string, get func(context.Context, string) ([]byte, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		hash := r.PathValue("hash")
		b, err := get(r.Context(), hash)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("ETag", `"`+hash+`"`)
		w.Write(b)
		return nil
	}
}

func (a *API) getTrust(w http.ResponseWriter, r *http.Request) error {
	authorities, keys, err := a.Exchange.trust()
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]any{"instance": a.Exchange.settings.Instance, "directory_keys": keys, "authorities": authorities})
}

func (a *API) enrol(w http.ResponseWriter, r *http.Request) error {
	var e Enrolment
	if err := read(r.Body, &e); err != nil {
		return err
	}
	out, err := a.Exchange.Enrol(r.Context(), e)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, out)
}

// handler is one that a node calls under its signature; body is what it sent.
type handler func(ctx context.Context, by Caller, r *http.Request, body []byte) (status int, out any, err error)

// maxCall bounds what a gateway sends at once.
const maxCall = 1 << 20

// signed lets a node through that has signed its request (RFC 9421): method, path,
// query and the digest of the body, not long ago, once.
func (a *API) signed(handle handler) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCall))
		if err != nil {
			return problem.Wrap(err, problem.TooLarge, "exchange.too_long")
		}
		by, err := a.caller(r, body)
		if err != nil {
			return err
		}
		status, out, err := handle(r.Context(), by, r, body)
		if err != nil {
			return err
		}
		return answer(w, status, out)
	}
}

// errCaller is the same whatever is wrong with a signature; the cause is logged.
func errCaller(err error) error {
	return problem.Wrap(err, problem.Unauthenticated, "exchange.signature")
}

func (a *API) caller(r *http.Request, body []byte) (Caller, error) {
	keys := &nodeKeys{a.Exchange, Caller{}}
	covered := httpsig.Cs("@method", "@path", "@query")
	if len(body) > 0 {
		covered = append(covered, httpsig.C("content-digest"))
		if err := httpsig.CheckDigest(r.Header.Values(httpsig.HeaderDigest), body); err != nil {
			return Caller{}, errCaller(err)
		}
	}
	v, err := httpsig.VerifyRequest(r, keys, httpsig.Policy{Components: covered, Tag: RequestTag, Algorithms: []httpsig.Algorithm{httpsig.Ed25519},
		MaxAge: RequestAge, Skew: skew, Nonce: true, Now: a.Exchange.clock.Now})
	if err != nil {
		return Caller{}, errCaller(err)
	}
	return keys.found, a.Exchange.once(r.Context(), v.Params.KeyID+" "+v.Params.Nonce)
}

// nodeKeys finds link keys that may sign now, and remembers whose it was.
type nodeKeys struct {
	x     *Exchange
	found Caller
}

// Key implements httpsig.Keys. The identifier is the first eight bytes of the
// key's hash, as on the link.
func (n *nodeKeys) Key(ctx context.Context, id string, _ httpsig.Algorithm) (httpsig.Key, error) {
	if b, err := hex.DecodeString(id); err != nil || len(b) != 8 || strings.ToLower(id) != id {
		return httpsig.Key{}, fmt.Errorf("%w: %.40q", httpsig.ErrKey, id)
	}
	now := n.x.clock.Now()
	var out httpsig.Key
	err := n.x.store.keys(ctx, n.x.store.db.Reader(), ` WHERE kind = $1 AND revoked_at = 0 AND sha256 >= $2 AND sha256 < $3 AND member IN (SELECT id FROM exchange_member WHERE suspended = 0)`,
		[]any{KeyLink, id, id + "g"}, func(k Key) {
			pub, err := x509.ParsePKIXPublicKey(k.DER)
			if key, ok := pub.(ed25519.PublicKey); err == nil && ok && !now.Before(k.NotBefore) && !expired(k.NotAfter, now) {
				out, n.found = httpsig.Key{Alg: httpsig.Ed25519, Public: key}, Caller{k.Member, k.Node, k.SHA256}
			}
		})
	if err != nil {
		return out, err
	}
	if out.Public == nil {
		return out, fmt.Errorf("%w: %s", httpsig.ErrKey, id)
	}
	return out, nil
}

// once lets each signed request through one time, whichever copy of the program
// it reaches.
func (x *Exchange) once(ctx context.Context, nonce string) error {
	if len(nonce) > 200 {
		return errCaller(errors.New("a nonce that is too long"))
	}
	expires := x.clock.Now().Add(RequestAge + 2*skew)
	err := x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_nonce (nonce, expires_at) VALUES ($1, $2)`, nonce, db.Micros(expires))
		return err
	})
	if db.IsDuplicate(err) {
		return errCaller(errors.New("the same request again"))
	}
	return err
}

func (a *API) renew(ctx context.Context, by Caller, _ *http.Request, body []byte) (int, any, error) {
	var in Renewal
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	out, err := a.Exchange.Renew(ctx, by, in)
	return http.StatusOK, out, err
}

func (a *API) putNode(ctx context.Context, by Caller, _ *http.Request, body []byte) (int, any, error) {
	var in NodeState
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.SetNode(ctx, by, in)
}

func (a *API) putSubsystem(ctx context.Context, by Caller, r *http.Request, body []byte) (int, any, error) {
	var in struct {
		Name map[string]string `json:"name"`
	}
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.SetSubsystem(ctx, by.actor(), by.Member, r.PathValue("code"), textOf(in.Name))
}

func (a *API) putService(ctx context.Context, by Caller, r *http.Request, body []byte) (int, any, error) {
	var in Offer
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.SetService(ctx, by.actor(), by.Member, r.PathValue("subsystem"), r.PathValue("code"), in)
}

// contractsPage is how many contracts go into one answer.
const contractsPage = 100

func (a *API) contracts(ctx context.Context, by Caller, r *http.Request, _ []byte) (int, any, error) {
	after, err := strconv.ParseInt(or(r.URL.Query().Get("after"), "0"), 10, 64)
	if err != nil {
		return 0, nil, problem.New(problem.Invalid, "api.parameters")
	}
	list, err := a.Exchange.ChangedSince(ctx, by.Member, after, contractsPage)
	if err != nil {
		return 0, nil, err
	}
	type item struct {
		Hash string `json:"hash"`
		contract.Signed
	}
	items := make([]item, 0, len(list))
	next := after
	for _, c := range list {
		items, next = append(items, item{c.Hash, c.Signed}), c.Changed
	}
	return http.StatusOK, map[string]any{"items": items, "next": strconv.FormatInt(next, 10)}, nil
}

func (a *API) propose(ctx context.Context, by Caller, _ *http.Request, body []byte) (int, any, error) {
	var in struct {
		Content   []byte `json:"content"`
		Signature string `json:"signature"`
	}
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	hash, err := a.Exchange.Propose(ctx, by, in.Content, in.Signature)
	return http.StatusCreated, map[string]string{"hash": hash}, err
}

func (a *API) answerContract(ctx context.Context, by Caller, r *http.Request, body []byte) (int, any, error) {
	var in struct {
		Signature string `json:"signature"`
	}
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.Answer(ctx, by, r.PathValue("hash"), contract.Kind(r.PathValue("kind")), in.Signature)
}

func (a *API) notices(ctx context.Context, by Caller, _ *http.Request, body []byte) (int, any, error) {
	var in struct {
		Items []Notice `json:"items"`
	}
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.Report(ctx, by, in.Items)
}

func (a *API) usage(ctx context.Context, by Caller, _ *http.Request, body []byte) (int, any, error) {
	var in struct {
		Items []Usage `json:"items"`
	}
	if err := decode(body, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct{}{}, a.Exchange.ReportUsage(ctx, by, in.Items)
}

func read(body io.Reader, v any) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return problem.Wrap(err, problem.TooLarge, "exchange.too_long")
	}
	return decode(b, v)
}

func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return problem.Wrap(err, problem.Invalid, "exchange.json")
	}
	return nil
}

func answer(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b)
	return nil
}

// Fingerprint of the authority, for people who compare it by eye.
func (x *Exchange) Fingerprint() string { return snapshot.Hash(x.authority.Certificate.Raw) }
