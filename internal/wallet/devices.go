package wallet

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/oauth"
	"diwan/protocol/strict"
)

const devicesPath = Root + "api/devices"

// Bounds of what a device sends.
const (
	maxBody = 4 << 10
	maxName = 80
)

// config answers with what the application must know of this installation. In a
// demonstration it tells the time too, since its clock can be moved.
func (a *App) config(w http.ResponseWriter, r *http.Request) {
	anchors, err := a.Anchors(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	type language struct {
		Code gov.Lang `json:"code"`
		Name string   `json:"name"`
		Dir  string   `json:"dir"`
	}
	c := struct {
		Issuer    string            `json:"issuer"`
		Client    string            `json:"client"`
		Anchors   []string          `json:"anchors"`
		Demo      bool              `json:"demo"`
		Now       int64             `json:"now"`
		Clocks    [][2]int64        `json:"clocks"`
		SignIn    map[string]string `json:"signIn"`
		Languages []language        `json:"languages"`
	}{Issuer: a.Base, Client: a.Client, Demo: a.Site.Demo, Now: a.Site.Clock.Now().Unix(), Clocks: clocks(a.Site.Clock.Now(), a.Site.Country.Zone()), SignIn: map[string]string{}}
	for _, der := range anchors {
		c.Anchors = append(c.Anchors, base64.StdEncoding.EncodeToString(der))
	}
	for _, l := range a.languages {
		c.SignIn[string(l.Code)] = "/" + string(l.Code) + devicesPage + "/open"
		c.Languages = append(c.Languages, language{l.Code, l.Name, l.Dir})
	}
	w.Header().Set("Cache-Control", "no-cache")
	a.write(w, r, c)
}

// clockYears is for how many years around today the application knows the changes of
// the country's clocks.
const clockYears = 15

// clocks lists from when on, in seconds since 1970, the clocks of a zone are how many
// seconds ahead. The server tells it, since browsers know zones by tables of their
// own, by which the day on a document could differ from that on its paper.
func clocks(now time.Time, zone *time.Location) [][2]int64 {
	var out [][2]int64
	for t := now.AddDate(-clockYears, 0, 0).In(zone); t.Before(now.AddDate(clockYears, 0, 0)); {
		_, ahead := t.Zone()
		out = append(out, [2]int64{t.Unix(), int64(ahead)})
		_, end := t.ZoneBounds()
		if end.IsZero() {
			break
		}
		t = end.In(zone)
	}
	return out
}

func (a *App) write(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client went away
}

// fail answers the application's script, which reads JSON whatever it was sent.
func (a *App) fail(w http.ResponseWriter, r *http.Request, err error) {
	r.Header.Set("Accept", "application/json")
	a.Site.Fail(w, a.Site.WithLang(r), err)
}

// prove checks that the caller holds a key: by a DPoP proof for this very address
// (RFC 9449 §4.3), made now. One that somebody saw and sends again gains nothing, as
// both calls do the same for the same key, and the first one needs a session.
func (a *App) prove(r *http.Request, path string) (*ecdsa.PublicKey, string, error) {
	p, err := oauth.VerifyDPoP(r.Context(), oauth.DPoPCheck{Header: r.Header, Method: r.Method, URL: a.Base + path, Now: a.Site.Clock.Now()})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", problem.New(problem.Invalid, "wallet.proof"), err)
	}
	key, ok := p.Key.Key.(*ecdsa.PublicKey)
	if !ok {
		return nil, "", problem.New(problem.Invalid, "wallet.proof")
	}
	return key, p.Thumbprint, nil
}

// register answers POST /wallet/api/devices for who is signed in.
func (a *App) register(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	actor := a.Site.Who(r)
	if actor.Public() || !actor.Has(gov.RolePerson) {
		a.fail(w, r, problem.New(problem.Unauthenticated, "unauthenticated"))
		return
	}
	name, err := readName(w, r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	key, thumbprint, err := a.prove(r, devicesPath)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	id, err := a.Devices.Register(r.Context(), actor, name, thumbprint)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.vouch(w, r, id, key, "")
}

func readName(w http.ResponseWriter, r *http.Request) (string, error) {
	var in struct {
		Name string `json:"name"`
	}
	b := make([]byte, 0, maxBody)
	body := http.MaxBytesReader(w, r.Body, maxBody)
	for {
		n, err := body.Read(b[len(b):cap(b)])
		if b = b[:len(b)+n]; err != nil || len(b) == cap(b) {
			break
		}
	}
	if err := strict.Unmarshal(b, maxBody, &in); err != nil {
		return "", problem.New(problem.Invalid, "wallet.name")
	}
	name := strings.TrimSpace(in.Name)
	if name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return "", problem.New(problem.Invalid, "wallet.name")
	}
	return name, nil
}

// attest answers POST /wallet/api/devices/{device}/attestation: who holds the key of a
// device needs no session for it.
func (a *App) attest(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	id := r.PathValue("device")
	key, _, err := a.prove(r, devicesPath+"/"+id+"/attestation")
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.vouch(w, r, id, key, r.URL.Query().Get("client"))
}

func (a *App) vouch(w http.ResponseWriter, r *http.Request, id string, key *ecdsa.PublicKey, client string) {
	t, err := a.Devices.Attest(r.Context(), id, key, client)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.write(w, r, map[string]any{"id": id, "attestation": t.Text, "expires": t.Ends.Unix()})
}
