package credential

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/gov"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/sdjwt"
)

// batchSize is how many copies a wallet may ask for at once.
const batchSize = 10

// colours of cards as CSS has them; the tokens of the design carry the same.
var cardColours = map[string]string{"green": "#0b5f46", "blue": "#17466e", "sand": "#6d5320", "red": "#8a2432", "grey": "#3d4650"}

// metadata describes this issuer to wallets. Labels are in every language of the
// country: a wallet takes those of its reader.
func (s *Credentials) metadata(ctx context.Context) (*vci.Metadata, error) {
	types, err := s.Types(ctx, s.Country.Order()[0])
	if err != nil {
		return nil, err
	}
	enc := []string{jwe.A128GCM, jwe.A256GCM}
	m := &vci.Metadata{Issuer: s.Base, CredentialEndpoint: s.Base + pathCredential, NonceEndpoint: s.Base + pathNonce, DeferredEndpoint: s.Base + pathDeferred,
		NotificationEndpoint: s.Base + pathNotification, Batch: &vci.Batch{Size: batchSize}, Display: s.displays(s.Country.Portal),
		ResponseEncryption: &vci.ResponseEncryption{Alg: []string{jwe.ECDHES}, Enc: enc}, Configurations: map[string]vci.Configuration{}}
	key, err := s.requests()
	if err != nil {
		return nil, err
	}
	m.RequestEncryption = &vci.RequestEncryption{JWKS: jwe.Set{Keys: []jose.JSONWebKey{key.Public()}}, Enc: enc}
	for _, t := range types {
		for _, f := range t.Formats() {
			m.Configurations[Configuration(t.ID, f)] = s.configuration(t, f)
		}
	}
	return m, nil
}

func (s *Credentials) configuration(t *Type, format string) vci.Configuration {
	c := vci.Configuration{Format: format, Scope: Configuration(t.ID, format), Algorithms: []any{jws.ES256}, BindingMethods: []string{vci.BindJWK},
		ProofTypes: map[string]vci.ProofType{"jwt": {Algorithms: algorithms}}, VCT: t.VCT}
	if format == MDoc {
		c.VCT, c.Doctype, c.Algorithms, c.BindingMethods = "", t.DocType, []any{-7}, []string{vci.BindCOSE}
	}
	shown := s.displays(t.Name)
	for i := range shown {
		shown[i].BackgroundColor, shown[i].TextColor = cardColours[t.Colour], "#ffffff"
		shown[i].Description, _ = t.About.In(s.Country.Languages[i].Code, s.Country.Order())
	}
	c.Details = &vci.Details{Display: shown}
	for _, k := range t.Claims {
		if !k.In(format) {
			continue
		}
		at := claimpath.Path{k.Name}
		if format == MDoc {
			at = claimpath.Path{t.Namespace, k.Name}
		}
		c.Details.Claims = append(c.Details.Claims, vci.Claim{Path: at, Mandatory: k.Mandatory, Display: s.labels(k.Label)})
		for _, m := range k.Members {
			c.Details.Claims = append(c.Details.Claims, vci.Claim{Path: append(slices.Clone(at), nil, m.Name), Mandatory: m.Mandatory, Display: s.labels(m.Label)})
		}
	}
	return c
}

func (s *Credentials) labels(name gov.Text) (all []vci.Label) {
	for _, d := range s.displays(name) {
		all = append(all, vci.Label{Name: d.Name, Locale: d.Locale})
	}
	return all
}

func (s *Credentials) displays(name gov.Text) (all []vci.Display) {
	for _, l := range s.Country.Languages {
		said, _ := name.In(l.Code, s.Country.Order())
		all = append(all, vci.Display{Name: said, Locale: s.localeOf(string(l.Code))})
	}
	return all
}

// issuerMetadata answers as JSON, or signed when it is asked for so (OpenID4VCI 1.0
// §12.2.2 and §12.2.3).
func (h *issuerHTTP) issuerMetadata(w http.ResponseWriter, r *http.Request) {
	m, err := h.metadata(r.Context())
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Vary", "Accept, Accept-Language")
	h.readersLanguage(w, r, m)
	if !strings.Contains(r.Header.Get("Accept"), "application/jwt") {
		writeJSON(w, http.StatusOK, m)
		return
	}
	c, err := h.certified(r.Context(), trustPurpose, h.portal(), h.Country.Portal)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	text, err := m.Sign(c.key, c.header(), h.Clock.Now(), h.Clock.Now().Add(24*time.Hour))
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = w.Write([]byte(text))
}

// readersLanguage leaves only the labels of the language that the wallet prefers, when
// it names one of the country's.
func (h *issuerHTTP) readersLanguage(w http.ResponseWriter, r *http.Request, m *vci.Metadata) {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if _, ok := h.Country.Language(gov.Lang(lang)); !ok {
			continue
		}
		locale := h.localeOf(lang)
		w.Header().Set("Content-Language", locale)
		m.Display = onlyLocale(m.Display, locale)
		for id, c := range m.Configurations {
			c.Details.Display = onlyLocale(c.Details.Display, locale)
			for i := range c.Details.Claims {
				k := &c.Details.Claims[i]
				for _, l := range k.Display {
					if l.Locale == locale {
						k.Display = []vci.Label{l}
						break
					}
				}
			}
			m.Configurations[id] = c
		}
		return
	}
}

func onlyLocale(all []vci.Display, locale string) []vci.Display {
	for _, d := range all {
		if d.Locale == locale {
			return []vci.Display{d}
		}
	}
	return all
}

// serverMetadata describes the authorization server, which is the issuer itself.
func (h *issuerHTTP) serverMetadata(w http.ResponseWriter, r *http.Request) {
	m := oauth.Metadata{Issuer: h.Base, AuthorizationEndpoint: h.Base + AuthorizePath, TokenEndpoint: h.Base + pathToken, PushEndpoint: h.Base + pathPush, RequirePush: true,
		ChallengeEndpoint: h.Base + pathChallenge, ResponseTypes: []string{"code"}, GrantTypes: []string{oauth.GrantCode, oauth.GrantPreAuthorized},
		ChallengeMethods: []string{"S256"}, AuthMethods: []string{oauth.AttestationMethod, oauth.AttestationDPoPMethod, "none"},
		DPoPAlgorithms: algorithms, AttestationAlgorithms: algorithms, PoPAlgorithms: algorithms, DetailsTypes: []string{"openid_credential"},
		ResponseIssuer: true, AnonymousPreAuthorized: !h.Attested, StatusListAggregation: h.Base + pathLists}
	if h.Attested {
		m.AuthMethods = m.AuthMethods[:2]
	}
	for _, l := range h.Country.Languages {
		m.Locales = append(m.Locales, string(l.Code))
	}
	types, err := h.Types(r.Context(), h.Country.Order()[0])
	if err != nil {
		h.resourceError(w, err)
		return
	}
	for _, t := range types {
		for _, f := range t.Formats() {
			m.Scopes = append(m.Scopes, Configuration(t.ID, f))
		}
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, m)
}

// typeMetadata publishes what a type of SD-JWT VC is (SD-JWT VC §6).
func (h *issuerHTTP) typeMetadata(w http.ResponseWriter, r *http.Request) {
	t, err := h.Type(r.Context(), r.PathValue("id"))
	if err != nil || t.VCT == "" {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "type_not_found"})
		return
	}
	b, err := h.typeDocument(t, SDJWT)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// typeDocument is the type metadata of a type with the claims of a format: the same bytes
// for the same version, since credentials carry its digest.
func (s *Credentials) typeDocument(t *Type, format string) ([]byte, error) {
	m := sdjwt.TypeMetadata{VCT: t.VCT}
	m.Name, _ = t.Name.In("en", s.Country.Order())
	m.Description, _ = t.About.In("en", s.Country.Order())
	for _, d := range s.displays(t.Name) {
		m.Display = append(m.Display, sdjwt.TypeDisplay{Locale: d.Locale, Name: d.Name})
	}
	for _, k := range t.Claims {
		if !k.In(format) {
			continue
		}
		c := sdjwt.ClaimMetadata{Path: claimpath.Path{k.Name}, Mandatory: k.Mandatory, SD: "always", Display: s.claimDisplays(k.Label)}
		if k.Open {
			c.SD = "never"
		}
		m.Claims = append(m.Claims, c)
		for _, x := range k.Members { // the list is shown or hidden as a whole
			m.Claims = append(m.Claims, sdjwt.ClaimMetadata{Path: claimpath.Path{k.Name, nil, x.Name}, Mandatory: x.Mandatory, SD: "never", Display: s.claimDisplays(x.Label)})
		}
	}
	return json.Marshal(m)
}

func (s *Credentials) claimDisplays(name gov.Text) (all []sdjwt.ClaimDisplay) {
	for _, d := range s.displays(name) {
		all = append(all, sdjwt.ClaimDisplay{Locale: d.Locale, Label: d.Name})
	}
	return all
}
