package verifier

import (
	"bytes"
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
	"diwan/protocol/openid4/dcql"
)

//go:embed openapi.json
var openapiFile []byte

// OpenAPI describes the interface for programs of verifiers.
func OpenAPI() []byte { return openapiFile }

// API is the interface for programs of verifiers: a bank's, a shop's.
type API struct {
	*Verifier
	Site *web.Site
}

// Register adds the addresses.
func (a *API) Register(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"POST /api/v1/verifications":              a.begin,
		"GET /api/v1/verifications/{id}/{secret}": a.status,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxAsk)
			if err := do(w, r); err != nil {
				if problem.Is(err, problem.Unauthenticated) {
					w.Header().Set("WWW-Authenticate", `Bearer realm="verifications"`)
				}
				a.Site.Fail(w, r, err)
			}
		})
	}
}

// maxAsk bounds what a program sends.
const maxAsk = dcql.MaxBytes + 16<<10

type apiAsk struct {
	Template string          `json:"template"`
	Query    json.RawMessage `json:"dcql"`
	// Verifier is whose request it is where no token says so, in a demonstration.
	Verifier string `json:"verifier"`
	Flow     string `json:"flow"`
	Return   string `json:"return_uri"`
}

type apiBegun struct {
	ID         string    `json:"id"`
	RequestURI string    `json:"request_uri"`
	QR         string    `json:"qr"` // the text that a code shows
	Link       string    `json:"link"`
	StatusURL  string    `json:"status_url"`
	Expires    time.Time `json:"expires"`
}

func (a *API) begin(w http.ResponseWriter, r *http.Request) error {
	var in apiAsk
	if err := take(r, &in); err != nil {
		return err
	}
	ask := Ask{Template: in.Template, Flow: in.Flow, Return: in.Return}
	if len(in.Query) > 0 && string(in.Query) != "null" {
		q, err := dcql.Parse(in.Query)
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "verification.query")
		}
		ask.Query = q
	}
	if (ask.Template == "") == (ask.Query == nil) {
		return problem.New(problem.Invalid, "verification.what")
	}
	p, err := a.asker(r, in, ask.Query)
	if err != nil {
		return err
	}
	b, err := a.Begin(r.Context(), p, ask)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, apiBegun{b.ID, b.RequestURI, b.Link, b.Link, a.Base + "/api/v1/verifications/" + b.ID + "/" + b.Secret, b.Ends.UTC()})
	return nil
}

// asker finds whose request it is: that of the token's verifier. In a demonstration the
// invented verifiers need none.
func (a *API) asker(r *http.Request, in apiAsk, q *dcql.Query) (*Party, error) {
	ctx := r.Context()
	if head := r.Header.Get("Authorization"); head != "" {
		kind, secret, _ := strings.Cut(head, " ")
		if !strings.EqualFold(kind, "Bearer") {
			return nil, errToken
		}
		return a.bearer(ctx, strings.TrimSpace(secret))
	}
	if !a.Demo {
		return nil, errToken
	}
	return a.invented(ctx, in, q)
}

// invented finds the verifier for demonstration that is named, or has the template, or
// may ask the query; of several the first by name.
func (a *API) invented(ctx context.Context, in apiAsk, q *dcql.Query) (*Party, error) {
	m, err := a.all(ctx)
	if err != nil {
		return nil, err
	}
	over := error(errNoParty)
	for _, id := range slices.Sorted(maps.Keys(m)) {
		p := m[id]
		switch {
		case !p.Demonstration:
		case in.Verifier != "":
			if p.ID == in.Verifier {
				return p, nil
			}
		case q == nil:
			if p.Template(in.Template) != nil {
				return p, nil
			}
		default:
			if over = p.Allows(q); over == nil {
				return p, nil
			}
		}
	}
	if in.Verifier == "" && q == nil {
		return nil, problem.New(problem.NotFound, "verification.no_template")
	}
	return nil, over
}

// take reads one JSON object with no names that are not known.
func take(r *http.Request, v any) error {
	b, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.New(problem.TooLarge, "verification.too_large")
	}
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "verification.json")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return problem.Wrap(err, problem.Invalid, "verification.json")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "verification.json")
	}
	return nil
}

type apiStatus struct {
	ID      string         `json:"id"`
	State   string         `json:"state"`
	Claims  map[string]any `json:"claims,omitempty"`
	Reasons []check.Reason `json:"reasons"`
	// Error is the code with which the wallet refused.
	Error     string  `json:"error,omitempty"`
	Documents []Shown `json:"documents,omitempty"`
	// Told is set when what was disclosed was told before and is not kept.
	Told    bool      `json:"told,omitempty"`
	Expires time.Time `json:"expires"`
}

func (a *API) status(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := a.load(ctx, a.DB.Reader(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if !same(q.secretHash, r.PathValue("secret")) {
		return errNoRequest
	}
	out := apiStatus{ID: q.ID, State: q.State, Reasons: q.Reasons, Error: q.WalletError, Expires: q.Ends.UTC()}
	switch {
	case q.State != Accepted && q.State != Refused:
	case q.Flow == SameDevice && q.codeHash != "" && !same(q.codeHash, r.URL.Query().Get("response_code")):
		// Until the person is back with the code, whose answer it is isn't known.
		out.State, out.Reasons, out.Error = Fetched, []check.Reason{}, ""
	default:
		_, shown, err := a.tell(ctx, q.ID)
		if err != nil {
			return fmt.Errorf("telling a result: %w", err)
		}
		out.Told = shown == nil
		if q.State == Accepted && len(shown) > 0 {
			out.Claims, out.Documents = Values(shown), shown
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// same tells whether a secret is the one whose hash is kept.
func same(hash, secret string) bool {
	return hash != "" && secret != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(hashOf(secret))) == 1
}
