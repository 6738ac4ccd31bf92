package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
)

// Paths of the issuer, below its identifier.
const (
	pathIssuer       = "/.well-known/openid-credential-issuer"
	pathServer       = "/.well-known/oauth-authorization-server"
	pathOffers       = "/issue/offers/"
	pathPush         = "/issue/par"
	pathToken        = "/issue/token"
	pathChallenge    = "/issue/challenge"
	pathNonce        = "/issue/nonce"
	pathCredential   = "/issue/credential"
	pathDeferred     = "/issue/deferred"
	pathNotification = "/issue/notification"
	pathTypes        = "/issue/types/"
	pathStatus       = "/status/"
	pathLists        = "/status"
	pathTrust        = "/trust/issuers"
	pathAnchor       = "/trust/anchor"
)

// AuthorizePath is where a wallet sends the person's browser.
const AuthorizePath = "/issue/authorize"

// Paths are the prefixes under which wallets and verifiers call, from any origin and
// without a session.
var Paths = []string{"/issue/", pathLists, pathStatus, "/trust/", pathIssuer, pathServer}

// maxForm bounds a form, and maxRequest a request for credentials: a batch of proofs
// with key attestations.
const (
	maxForm    = 64 << 10
	maxRequest = 512 << 10
)

type issuerHTTP struct{ *Credentials }

// Register mounts what wallets and verifiers call. limit bounds how often one address
// may ask for what costs something.
func (s *Credentials) Register(mux *http.ServeMux, limit func(http.Handler) http.Handler) {
	h := &issuerHTTP{s}
	open := map[string]http.HandlerFunc{
		"GET " + pathIssuer:                 h.issuerMetadata,
		"GET " + pathServer:                 h.serverMetadata,
		"GET " + pathTypes + "{id}":         h.typeMetadata,
		"GET " + pathStatus + "{list}":      h.statusList,
		"GET " + pathLists:                  h.statusLists,
		"GET " + pathTrust:                  h.trustList,
		"GET " + pathAnchor:                 h.anchor,
		"GET " + pathOffers + "{id}/{code}": h.offer,
	}
	limited := map[string]http.HandlerFunc{
		"POST " + pathPush:         h.push,
		"POST " + pathToken:        h.token,
		"POST " + pathChallenge:    h.challenge,
		"POST " + pathNonce:        h.nonce,
		"POST " + pathCredential:   h.credential,
		"POST " + pathDeferred:     h.deferred,
		"POST " + pathNotification: h.notification,
	}
	for at, f := range open {
		mux.Handle(at, fromAnywhere(f))
	}
	for at, f := range limited {
		mux.Handle(at, fromAnywhere(limit(f)))
	}
	for _, p := range Paths {
		mux.Handle("OPTIONS "+p, fromAnywhere(http.NotFoundHandler()))
	}
}

// fromAnywhere lets wallets that are web applications call: nothing here looks at a
// cookie, so that the origin of a request gives it no power.
func fromAnywhere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Access-Control-Allow-Origin", "*")
		head.Set("Access-Control-Expose-Headers", "DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate, Content-Language")
		if r.Method == http.MethodOptions {
			head.Set("Access-Control-Allow-Methods", "GET, POST")
			head.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Accept-Language, DPoP, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP")
			head.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client went away
}

// form reads a form of bounded size whose parameters stand once.
func form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return fmt.Errorf("%w: the request is a form", oauth.InvalidRequest)
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: the form can't be read", oauth.InvalidRequest)
	}
	return nil
}

// body reads a request of bounded size.
func body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, fmt.Errorf("%w: the request can't be read", vci.InvalidCredentialRequest)
	}
	return b, nil
}

// freshNonce gives the client the nonce for its next proof.
func (h *issuerHTTP) freshNonce(w http.ResponseWriter) {
	w.Header().Set(oauth.DPoPNonceHeader, h.nonces.Make(oauth.ForDPoP, h.Clock.Now()))
}

// oauthError answers as an authorization server (RFC 6749 §5.2, RFC 9449 §8).
func (h *issuerHTTP) oauthError(w http.ResponseWriter, err error) {
	h.cause(err)
	switch oauth.CodeOf(err) {
	case oauth.UseDPoPNonce:
		h.freshNonce(w)
	case oauth.UseAttestationChallenge:
		w.Header().Set(oauth.AttestationChallengeHeader, h.nonces.Make(oauth.ForAttestation, h.Clock.Now()))
	}
	answer := oauth.Respond(err)
	writeJSON(w, answer.Code.Status(), answer)
}

// resourceError answers as a protected resource: what concerns the token goes into
// WWW-Authenticate, what concerns the request into the body, never encrypted.
func (h *issuerHTTP) resourceError(w http.ResponseWriter, err error) {
	h.cause(err)
	w.Header().Set("Cache-Control", "no-store")
	if oauth.CodeOf(err) == oauth.UseDPoPNonce {
		h.freshNonce(w)
	}
	if aboutToken(err) {
		status, header := oauth.Denied(err, oauth.DPoPScheme, algorithms)
		w.Header().Set("WWW-Authenticate", header)
		answer := oauth.Respond(err)
		if errors.Is(err, oauth.ErrNoToken) {
			answer = oauth.ErrorResponse{}
		}
		writeJSON(w, status, answer)
		return
	}
	answer := oauth.Respond(err)
	status := http.StatusBadRequest
	if answer.Code == oauth.ServerError {
		status = http.StatusInternalServerError
	}
	writeJSON(w, status, answer)
}

// aboutToken tells what the caller may do from what they ask for.
func aboutToken(err error) bool {
	switch oauth.CodeOf(err) {
	case oauth.InvalidToken, oauth.InsufficientScope, oauth.InvalidDPoPProof, oauth.UseDPoPNonce, oauth.InvalidRequest:
		return true
	}
	return errors.Is(err, oauth.ErrNoToken)
}

// cause logs what is about the server and not about the client.
func (h *issuerHTTP) cause(err error) {
	if oauth.CodeOf(err) == "" && !errors.Is(err, oauth.ErrNoToken) {
		h.Log.Error("issuing failed", "error", err)
	}
}

// nonce answers POST /issue/nonce (OpenID4VCI 1.0 §7).
func (h *issuerHTTP) nonce(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	h.freshNonce(w)
	writeJSON(w, http.StatusOK, map[string]string{"c_nonce": h.nonces.Make(oauth.ForProof, h.Clock.Now())})
}

// challenge answers POST /issue/challenge (attestation-based client authentication).
func (h *issuerHTTP) challenge(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]string{"attestation_challenge": h.nonces.Make(oauth.ForAttestation, h.Clock.Now())})
}

// offer answers the address of an offer by reference. The code stands in the address,
// which is as secret as an offer by value: only its digest is kept here.
func (h *issuerHTTP) offer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	g, err := readGrant(r.Context(), h.DB.Reader(), `id = $1`, r.PathValue("id"))
	if err != nil || g.kind != preAuthorized || g.state != grantOpen || !h.Clock.Now().Before(g.ends) {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "offer_not_found"})
		return
	}
	writeJSON(w, http.StatusOK, h.protocolOffer(&Offer{ID: g.id, Code: r.PathValue("code"), TxCode: "yes", Configurations: g.body.Configurations}))
}

// protocolOffer writes an offer as the protocol has it.
func (s *Credentials) protocolOffer(o *Offer) *vci.Offer {
	p := &vci.PreAuthorizedGrant{Code: o.Code}
	if o.TxCode != "" {
		p.TxCode = &vci.TxCode{InputMode: vci.Numeric, Length: txDigits}
	}
	return &vci.Offer{Issuer: s.Base, Configurations: o.Configurations, Grants: &vci.Grants{PreAuthorized: p}}
}

// Link is the offer as a link, by value or by reference.
func (s *Credentials) Link(o *Offer, reference bool) (string, error) {
	if reference {
		return vci.LinkTo(vci.OfferScheme, s.Base+pathOffers+o.ID+"/"+o.Code)
	}
	return s.protocolOffer(o).Link(vci.OfferScheme)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// localeOf is a country's language as BCP 47 has it.
func (s *Credentials) localeOf(lang string) string {
	if strings.Contains(lang, "-") {
		return lang
	}
	return lang + "-" + s.Country.Code
}
