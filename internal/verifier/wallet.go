package verifier

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vp"
)

// maxPosted bounds what a wallet posts.
const maxPosted = vp.MaxResponse + 64<<10

// infoFormat names what a request says of who asks and why.
const infoFormat = "urn:diwan:verifier:1"

// RegisterWallets adds the addresses that wallets use. They take no cookie and answer
// pages of any site, since wallets are anywhere.
func (s *Verifier) RegisterWallets(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + pathPresent + "{id}":               s.object,
		"POST " + pathPresent + "{id}":              s.object,
		"POST " + pathPresent + "{id}" + pathAnswer: s.answer,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", "*")
			h.Set("Cache-Control", "no-store")
			r.Body = http.MaxBytesReader(w, r.Body, maxPosted)
			if err := do(w, r); err != nil {
				s.failWallet(w, r, err)
			}
		})
	}
}

// failWallet answers as the protocol does: a code, never internals, never a redirect.
func (s *Verifier) failWallet(w http.ResponseWriter, r *http.Request, err error) {
	status, code := http.StatusBadRequest, oauth.InvalidRequest
	switch {
	case errors.Is(err, vp.InvalidRequestURIMethod):
		code = vp.InvalidRequestURIMethod
	case errors.Is(err, vp.ErrWallet):
		code = vp.FormatsNotSupported
	case problem.Is(err, problem.NotFound):
		status = http.StatusNotFound
	case errors.Is(err, oauth.InvalidRequest), errors.Is(err, vp.ErrResponse), errors.Is(err, errAnswered):
	default:
		s.Log.ErrorContext(r.Context(), "answering a wallet failed", "path", r.URL.Path, "error", err)
		status, code = http.StatusInternalServerError, "server_error"
	}
	writeJSON(w, status, map[string]string{"error": string(code)})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// object answers with the signed request (OpenID4VP 1.0 §5.10): made anew each time,
// with the nonce of the wallet that asks, for the same question.
func (s *Verifier) object(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := s.load(ctx, s.DB.Reader(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if !q.open() {
		return errNoRequest
	}
	walletNonce := ""
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
		}
		f, err := vp.ParseFetch(r.PostForm)
		if err != nil {
			return err
		}
		if f.Wallet != nil {
			if err := f.Wallet.Accepts(formats(q), vp.X509Hash); err != nil {
				return err
			}
		}
		walletNonce = f.Nonce
	}
	p, err := s.Party(ctx, q.Verifier)
	if err != nil {
		return err
	}
	key, chain, err := s.Identity(ctx, p.ID, p.Name)
	if err != nil {
		return fmt.Errorf("the identity of a verifier: %w", err)
	}
	// The link named the certificate of its time; another one now is another client.
	if len(chain) == 0 || vp.HashID(chain[0]) != q.ClientID {
		return errNoRequest
	}
	k, err := s.key(q)
	if err != nil {
		return err
	}
	o := vp.Request{ClientID: q.ClientID, Mode: vp.DirectPostJWT, ResponseURI: s.requestURI(q.ID) + pathAnswer, Nonce: q.nonce, State: q.ID, WalletNonce: walletNonce,
		Query: q.Query, Metadata: vp.MetadataFor(k), Issued: s.Clock.Now(), Expires: q.Ends, Info: info(p, q)}
	if o.Info, err = s.vouched(ctx, o.Info, chain[0], q.Ends); err != nil {
		return err
	}
	text, err := o.Sign(key, chain)
	if err != nil {
		return err
	}
	if err := s.fetched(ctx, q); err != nil {
		return err
	}
	w.Header().Set("Content-Type", vp.RequestType)
	_, _ = w.Write([]byte(text))
	return nil
}

func formats(q *Request) []string {
	var out []string
	for _, c := range q.Query.Credentials {
		out = append(out, c.Format)
	}
	return out
}

// info says who asks and why, for the wallet to tell its holder. It is worth as much as
// the certificate that signs it.
func info(p *Party, q *Request) []vp.VerifierInfo {
	why := p.Purpose
	if t := p.Template(q.Template); t != nil {
		why = t.Why
	}
	data, err := json.Marshal(struct {
		Name          gov.Text `json:"name"`
		Purpose       gov.Text `json:"purpose"`
		Keep          string   `json:"keep"`
		Minutes       int      `json:"minutes"`
		Demonstration bool     `json:"demonstration"`
	}{p.Name, why, q.Keep, q.Minutes, p.Demonstration})
	if err != nil {
		return nil
	}
	return []vp.VerifierInfo{{Format: infoFormat, Data: data}}
}

// vouched adds what the operator says: that who signs this is registered here, and may
// ask. A wallet that finds it missing, or of another certificate, says that nobody known
// asks.
func (s *Verifier) vouched(ctx context.Context, list []vp.VerifierInfo, cert *x509.Certificate, until time.Time) ([]vp.VerifierInfo, error) {
	if s.Vouch == nil {
		return list, nil
	}
	text, err := s.Vouch(ctx, cert, until)
	if err != nil {
		return nil, fmt.Errorf("the registration of a verifier: %w", err)
	}
	data, err := json.Marshal(text)
	return append(list, vp.VerifierInfo{Format: vp.InfoJWT, Data: data}), err
}

// answer takes what a wallet posts (OpenID4VP 1.0 §8.2). What can't be read, is
// encrypted to another key or names another state settles nothing: anybody could have
// sent it.
func (s *Verifier) answer(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := s.load(ctx, s.DB.Reader(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if !q.open() {
		return errAnswered
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	k, err := s.key(q)
	if err != nil {
		return err
	}
	a, err := vp.Reader{Mode: vp.DirectPostJWT, Key: k, State: q.ID}.Read(r.PostForm)
	if err != nil {
		return fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	o, err := s.judge(ctx, q, k, a)
	if err != nil {
		return err
	}
	receipt, code := vp.Receipt{}, ""
	if q.Flow == SameDevice && !o.nonce {
		if receipt, code, err = vp.NewReceipt(q.Return); err != nil {
			return err
		}
	}
	if err := s.settle(ctx, q, o, code); err != nil {
		return err
	}
	if o.nonce {
		return oauth.InvalidRequest
	}
	writeJSON(w, http.StatusOK, receipt)
	return nil
}
