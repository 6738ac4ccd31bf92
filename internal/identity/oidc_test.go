package identity

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// op is a provider that does as it is told, also wrongly.
type op struct {
	*httptest.Server
	key *ecdsa.PrivateKey

	mu        sync.Mutex
	subject   string
	claims    map[string]any // over those of every token; nil values leave a claim out
	saysIss   bool
	asked     url.Values // of the last sign-in
	challenge map[string]string
	nonce     map[string]string
}

func newOP(t *testing.T) *op {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &op{key: key, subject: "sub-1", challenge: map[string]string{}, nonce: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"end_session_endpoint": p.URL + "/end", "authorization_response_iss_parameter_supported": p.saysIss, "code_challenge_methods_supported": []string{"S256"},
			"id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// sign makes a token of the provider.
func (p *op) sign(claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k"}}, nil)
	if err != nil {
		panic(err)
	}
	s, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	return s
}

// code signs somebody in at the provider, as its page would, for the address that
// the site sent people to.
func (p *op) code(authorize string) (code, state string) {
	u, _ := url.Parse(authorize)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = u.Query()
	code = gov.NewID()
	p.challenge[code], p.nonce[code] = p.asked.Get("code_challenge"), p.asked.Get("nonce")
	return code, p.asked.Get("state")
}

func (p *op) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := r.PostFormValue("code")
	nonce, ok := p.nonce[code]
	delete(p.nonce, code)
	if sum := s256(r.PostFormValue("code_verifier")); !ok || sum != p.challenge[code] {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": p.URL, "sub": p.subject, "aud": "portal", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": nonce, "sid": "s-" + p.subject, "auth_time": now.Unix(), "name": "Somebody"}
	maps.Copy(claims, p.claims)
	for k, v := range claims {
		if v == nil {
			delete(claims, k)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.sign(claims)})
}

// tool is one browser with the site's own handler.
type tool struct {
	*testing.T
	a       *Accounts
	doors   *Doors
	h       http.Handler
	cookies map[string]string
}

// browse builds a site with providers; each tool is a browser of its own.
func browse(t *testing.T, a *Accounts, d *db.DB, clock gov.Clock, ops ...*op) *tool {
	s := NewSessions(d, a, clock, false)
	doors := &Doors{Accounts: a, Sessions: s, Languages: []gov.Lang{"ar", "fr"}, Base: func(*http.Request) string { return "https://site.example" }}
	for i, o := range ops {
		doors.Providers = append(doors.Providers, &Provider{ID: fmt.Sprint("p", i), Issuer: o.URL, ClientID: "portal", For: ForAll, Name: gov.Text{"fr": "x"}, Confirms: true,
			Claims: ClaimNames{Name: map[string]string{"ar": "name#ar", "fr": "name#fr"}, NationalID: "nid", Birthdate: "birthdate", Represents: "represents"}})
	}
	mux := http.NewServeMux()
	fail := func(w http.ResponseWriter, err error) {
		p := problem.From(err)
		http.Error(w, p.Code, p.Kind.Status())
	}
	mux.HandleFunc("GET /go/{provider}", func(w http.ResponseWriter, r *http.Request) {
		p, err := doors.Provider(r.PathValue("provider"))
		f := providerFlow{Purpose: r.URL.Query().Get("purpose"), Root: Me, To: r.URL.Query().Get("to"), Lang: "fr", Account: Actor(r).ID}
		if f.Purpose == "" {
			f.Purpose = purposeSignIn
		}
		if r.URL.Query().Get("root") != "" {
			f.Root = r.URL.Query().Get("root")
		}
		to := ""
		if err == nil {
			to, err = doors.leave(r, p, f)
		}
		if err != nil {
			fail(w, err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("GET /sign-in/{provider}/callback", func(w http.ResponseWriter, r *http.Request) {
		p, err := doors.Provider(r.PathValue("provider"))
		var x arrival
		if err == nil {
			x, err = doors.arrive(r, p)
		}
		if err == nil {
			err = (&doorPages{doors, nil}).open(r, x)
		}
		if err != nil {
			fail(w, err)
			return
		}
		http.Redirect(w, r, SafeReturn(x.flow.Root, x.flow.To), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout/{provider}", func(w http.ResponseWriter, r *http.Request) {
		p, err := doors.Provider(r.PathValue("provider"))
		if err == nil {
			err = doors.backChannel(r, p)
		}
		if err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("GET /front/{provider}", func(w http.ResponseWriter, r *http.Request) {
		p, err := doors.Provider(r.PathValue("provider"))
		if err == nil {
			err = doors.frontChannel(r, p)
		}
		if err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, cmp.Or(Actor(r).ID, "."), " ", cmp.Or(Acting(r).ID, "."), " ", s.Fresh(r, time.Minute))
	})
	mux.HandleFunc("POST /act", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Act(r, r.PostFormValue("mandate")); err != nil {
			fail(w, err)
		}
	})
	return &tool{t, a, doors, s.Load(mux), map[string]string{}}
}

// other is another browser of the same site.
func (b *tool) other() *tool { x := *b; x.cookies = map[string]string{}; return &x }

func (b *tool) do(method, target string, form url.Values) *http.Response {
	b.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return res
}

func (b *tool) body(target string) string {
	b.Helper()
	res := b.do("GET", target, nil)
	var s strings.Builder
	buf := make([]byte, 512)
	for {
		n, err := res.Body.Read(buf)
		s.Write(buf[:n])
		if err != nil {
			return s.String()
		}
	}
}

// leave goes to a provider and returns its address.
func (b *tool) leave(query string) string {
	b.Helper()
	res := b.do("GET", "/go/"+query, nil)
	if res.StatusCode != http.StatusSeeOther {
		b.Fatalf("leaving for %s: %d", query, res.StatusCode)
	}
	return res.Header.Get("Location")
}

func back(provider, code, state string, more ...string) string {
	q := url.Values{"code": {code}, "state": {state}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/sign-in/" + provider + "/callback?" + q.Encode()
}

// signIn signs in by a provider and returns the status.
func (b *tool) signIn(o *op, provider string) int {
	b.Helper()
	code, state := o.code(b.leave(provider))
	return b.do("GET", back(provider, code, state), nil).StatusCode
}

// who is the account of the browser, empty for the public.
func (b *tool) who() string { b.Helper(); return strings.Fields(b.body("/who"))[0] }

func sites(t *testing.T, n int, test func(t *testing.T, b *tool, clock *movingClock, d *db.DB, ops []*op)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, d *db.DB) {
		clock := &movingClock{t: time.Now()}
		a := NewAccounts(d, audit.New(d, clock), clock)
		v, err := NewVault([]byte(strings.Repeat("secret", 8)))
		if err != nil {
			t.Fatal(err)
		}
		a.Vault = v
		var ops []*op
		for range n {
			ops = append(ops, newOP(t))
		}
		test(t, browse(t, a, d, clock, ops...), clock, d, ops)
	})
}

func TestSignInByProvider(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, d *db.DB, ops []*op) {
		o := ops[0]
		o.claims = map[string]any{"name#fr": "Salma \u202eX\x00\n Y", "nid": " zz 12-34 ", "birthdate": "1990-02-03", "represents": []any{
			map[string]any{"kind": "firm", "id": "000 000", "name": map[string]any{"fr": "F"}}, map[string]any{"kind": "written", "id": "9", "name": "no"}, "nonsense"}}
		if got := b.signIn(o, "p0"); got != http.StatusSeeOther {
			t.Fatalf("signing in: %d", got)
		}
		if q := o.asked; q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || len(q.Get("state")) < 40 || q.Get("response_type") != "code" {
			t.Errorf("the request: %v", q)
		}
		id := b.who()
		acc, err := b.a.ByID(t.Context(), id)
		if err != nil || acc.Name["fr"] != "Salma X Y" || !acc.Has(gov.RolePerson) || acc.Works() {
			t.Fatalf("the account: %+v, %v", acc, err)
		}
		if x := b.other(); x.signIn(o, "p0") != http.StatusSeeOther || x.who() != id {
			t.Error("the second sign-in made another account")
		}
		p, err := b.a.ParticularsOf(t.Context(), acc.Actor, id, "")
		if err != nil || p.NationalID != "zz 12-34" || p.Birthdate != "1990-02-03" {
			t.Errorf("particulars: %+v, %v", p, err)
		}
		found, err := b.a.FindByNumber(t.Context(), gov.Actor{ID: "op"}, "ZZ1234", "test")
		if err != nil || len(found) != 1 || found[0] != id {
			t.Errorf("found by number: %v, %v", found, err)
		}
		var sealed []byte
		var national string
		if err := d.Reader().QueryRow(`SELECT sealed, national FROM identity_person WHERE account = $1`, id).Scan(&sealed, &national); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(sealed)+national, "12") && strings.Contains(string(sealed), "1234") || len(national) != 64 {
			t.Error("the national number lies in clear")
		}
		list, err := b.a.Mandates(t.Context(), id)
		if err != nil || len(list) != 1 || list[0].Kind != KindFirm || list[0].Number != "000000" || list[0].AttestedBy != o.URL {
			t.Errorf("attested: %+v, %v", list, err)
		}
		e, err := b.a.Export(t.Context(), acc.Actor, id)
		if err != nil || e.Particulars.NationalID != "zz 12-34" || len(e.SignIns) != 2 || len(e.Mandates) != 1 || len(e.Providers) != 1 || e.Channel != ChannelNone {
			t.Errorf("exported: %+v, %v", e, err)
		}
		if err := b.a.Forget(t.Context(), acc.Actor, id, "asked"); err != nil {
			t.Fatal(err)
		}
		if b.who() != "." {
			t.Error("who was forgotten is still signed in")
		}
		if _, err := b.a.PersonKey(t.Context(), id); !problem.Is(err, problem.NotFound) {
			t.Errorf("the key of a forgotten person: %v", err)
		}
	})
}

// What a provider, or somebody in its place, may answer with, and none of it opens
// the door.
func TestForgedAnswers(t *testing.T) {
	sites(t, 2, func(t *testing.T, b *tool, clock *movingClock, d *db.DB, ops []*op) {
		o, evil := ops[0], ops[1]
		now := time.Now()
		for name, claims := range map[string]map[string]any{
			"no nonce":            {"nonce": nil},
			"another nonce":       {"nonce": "x"},
			"another issuer":      {"iss": evil.URL},
			"issuer with a slash": {"iss": o.URL + "/"},
			"another audience":    {"aud": "other"},
			"no audience":         {"aud": nil},
			"another party":       {"aud": []string{"portal", "other"}, "azp": "other"},
			"two and no party":    {"aud": []string{"portal", "other"}},
			"expired":             {"exp": now.Add(-time.Hour).Unix()},
			"not yet":             {"nbf": now.Add(time.Hour).Unix()},
			"nobody":              {"sub": nil},
			"a long name":         {"sub": strings.Repeat("x", 300)},
			"token hash":          {"at_hash": "AAAA"},
		} {
			o.claims = claims
			if got := b.other(); got.signIn(o, "p0") != http.StatusForbidden || got.who() != "." {
				t.Errorf("%s: signed in as %s", name, got.who())
			}
		}
		o.claims = nil
		try := func(name, target string, b *tool) {
			t.Helper()
			if got := b.do("GET", target, nil).StatusCode; got < 400 || got >= 500 && got != http.StatusServiceUnavailable || b.who() != "." {
				t.Errorf("%s: %d, signed in as %s", name, got, b.who())
			}
		}
		code, state := o.code(b.leave("p0"))
		try("no state", back("p0", code, ""), b)
		try("a guessed state", back("p0", code, "guess"), b)
		try("another browser", back("p0", code, state), b.other())
		try("used up by another browser", back("p0", code, state), b)
		code, state = o.code(b.leave("p0"))
		try("mix-up: the state of one provider at another", back("p1", code, state), b)
		code, state = o.code(b.leave("p0"))
		try("named another issuer", back("p0", code, state, "iss", evil.URL), b)
		code, state = o.code(b.leave("p0"))
		try("two codes", back("p0", code, state)+"&code=x", b)
		_, state = o.code(b.leave("p0"))
		try("refused", back("p0", "", state, "error", "access_denied"), b)
		_, state = o.code(b.leave("p0"))
		try("failed", back("p0", "", state, "error", "server_error"), b)
		stolen, _ := o.code(b.other().leave("p0"))
		_, state = o.code(b.leave("p0"))
		try("code injection: another's code", back("p0", stolen, state), b)
		code, state = o.code(b.leave("p0"))
		clock.pass(flowLife + time.Second)
		try("too late", back("p0", code, state), b)
		code, state = o.code(b.leave("p0"))
		if got := b.do("GET", back("p0", code, state), nil).StatusCode; got != http.StatusSeeOther {
			t.Errorf("the honest one: %d", got)
		}
		if got := b.do("GET", back("p0", code, state), nil).StatusCode; got != http.StatusForbidden {
			t.Errorf("the same answer again: %d", got)
		}
		if got := b.other(); got.leave("p0?root=/office") == "" || got.do("GET", "/who", nil).StatusCode != 200 {
			t.Error("leaving for the office")
		} else if code, state := o.code(got.leave("p0?root=/office")); got.do("GET", back("p0", code, state), nil).StatusCode != http.StatusForbidden {
			t.Error("a person entered the office")
		}
	})
}

// Somebody who signs in for the first time on several devices at once has one
// account.
func TestFirstSignInTwiceAtOnce(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, d *db.DB, ops []*op) {
		p := profile{Name: gov.Text{"fr": "x"}, Particulars: Particulars{NationalID: "1"}, said: true, Represents: []represented{{Kind: KindFirm, ID: "1", Name: gov.Text{"": "F"}}}}
		var wg sync.WaitGroup
		ids := make(chan string, 6)
		for range cap(ids) {
			wg.Go(func() {
				a, err := b.a.arrive(t.Context(), ops[0].URL, "new", p)
				if err != nil {
					t.Error(err)
				}
				ids <- a.ID
			})
		}
		wg.Wait()
		first := <-ids
		for range cap(ids) - 1 {
			if id := <-ids; id != first {
				t.Errorf("another account: %s", id)
			}
		}
		if list, err := b.a.Mandates(t.Context(), first); err != nil || len(list) != 1 {
			t.Errorf("%d mandates, %v", len(list), err)
		}
	})
}

// An officer signs in by the provider that their account was tied to, and by no
// other way through it.
func TestOfficerByProvider(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		ctx, o := t.Context(), ops[0]
		for _, login := range []string{"ali", "mona"} {
			if err := b.a.Put(ctx, gov.Actor{ID: "op"}, Account{Actor: gov.Actor{Login: login, Name: gov.Text{"en": login}, Roles: []gov.Role{gov.RoleSign}}}); err != nil {
				t.Fatal(err)
			}
		}
		enter := func() int {
			code, state := o.code(b.leave("p0?root=/office"))
			return b.do("GET", back("p0", code, state), nil).StatusCode
		}
		if got := enter(); got != http.StatusForbidden {
			t.Errorf("a stranger: %d", got)
		}
		if err := b.a.Tie(ctx, "ali", o.URL, "sub-1"); err != nil {
			t.Fatal(err)
		}
		if err := b.a.Tie(ctx, "mona", o.URL, "sub-1"); !problem.Is(err, problem.Conflict) {
			t.Errorf("a second account: %v", err)
		}
		if got := enter(); got != http.StatusSeeOther {
			t.Errorf("the officer: %d", got)
		}
		if a, _ := b.a.ByID(ctx, b.who()); a.Login != "ali" || a.Name["en"] != "ali" {
			t.Errorf("signed in as %+v", a)
		}
		code, state := o.code(b.leave("p0"))
		if got := b.do("GET", back("p0", code, state), nil).StatusCode; got != http.StatusForbidden {
			t.Errorf("the officer in the space of people: %d", got)
		}
		if a, _ := b.a.ByLogin(ctx, "ali"); a.Name["en"] != "ali" {
			t.Errorf("the provider renamed an officer: %v", a.Name)
		}
	})
}

func TestIssuerMustBeNamed(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		o := ops[0]
		o.saysIss = true
		code, state := o.code(b.leave("p0"))
		if got := b.do("GET", back("p0", code, state), nil).StatusCode; got != http.StatusForbidden {
			t.Errorf("without iss: %d", got)
		}
		code, state = o.code(b.leave("p0"))
		if got := b.do("GET", back("p0", code, state, "iss", o.URL), nil).StatusCode; got != http.StatusSeeOther {
			t.Errorf("with iss: %d", got)
		}
	})
}

func TestSessionFixation(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		b.leave("p0")
		planted := maps.Clone(b.cookies)
		if got := b.signIn(ops[0], "p0"); got != http.StatusSeeOther {
			t.Fatal(got)
		}
		thief := b.other()
		thief.cookies = planted
		if b.who() == "." || thief.who() != "." {
			t.Errorf("signed in as %s, and by the planted token as %s", b.who(), thief.who())
		}
		first := b.who()
		ops[0].subject = "sub-2"
		old := b.other()
		old.cookies = maps.Clone(b.cookies)
		b.signIn(ops[0], "p0")
		if b.who() == first || old.who() != "." {
			t.Error("the session of who was there before goes on")
		}
	})
}

func TestLogoutByProvider(t *testing.T) {
	sites(t, 2, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		o := ops[0]
		claims := func(change map[string]any) string {
			c := map[string]any{"iss": o.URL, "aud": "portal", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "jti": gov.NewID(), "sid": "s-sub-1", "sub": "sub-1",
				"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
			maps.Copy(c, change)
			for k, v := range c {
				if v == nil {
					delete(c, k)
				}
			}
			return o.sign(c)
		}
		send := func(token string) int {
			return b.other().do("POST", "/logout/p0", url.Values{"logout_token": {token}}).StatusCode
		}
		b.signIn(o, "p0")
		for name, change := range map[string]map[string]any{
			"a nonce": {"nonce": "n"}, "no event": {"events": nil}, "another event": {"events": map[string]any{"x": map[string]any{}}}, "another issuer": {"iss": ops[1].URL},
			"another audience": {"aud": "other"}, "old": {"iat": time.Now().Add(-time.Hour).Unix()}, "of tomorrow": {"iat": time.Now().Add(time.Hour).Unix()},
			"expired": {"exp": time.Now().Add(-time.Hour).Unix()}, "no jti": {"jti": nil}, "about nobody": {"sid": nil, "sub": nil},
		} {
			if got := send(claims(change)); got != http.StatusBadRequest || b.who() == "." {
				t.Errorf("a token with %s: %d", name, got)
			}
		}
		for _, token := range []string{"", "x", "a.b.c", ops[1].sign(map[string]any{"iss": o.URL})} {
			if got := send(token); got != http.StatusBadRequest {
				t.Errorf("the token %.20q: %d", token, got)
			}
		}
		if got := send(claims(map[string]any{"sid": "other", "sub": nil})); got != http.StatusOK || b.who() == "." {
			t.Errorf("somebody else's session: %d", got)
		}
		token := claims(nil)
		if got := send(token); got != http.StatusOK || b.who() != "." {
			t.Errorf("logout: %d, still %s", got, b.who())
		}
		b.signIn(o, "p0")
		if got := send(token); got != http.StatusBadRequest || b.who() == "." {
			t.Errorf("the same token again: %d", got)
		}
		if got := b.other().do("GET", "/front/p0?"+url.Values{"iss": {ops[1].URL}, "sid": {"s-sub-1"}}.Encode(), nil).StatusCode; got != http.StatusBadRequest || b.who() == "." {
			t.Errorf("front channel of another issuer: %d", got)
		}
		if got := b.other().do("GET", "/front/p0?"+url.Values{"iss": {o.URL}, "sid": {"s-sub-1"}}.Encode(), nil).StatusCode; got != http.StatusOK || b.who() != "." {
			t.Errorf("front channel: %d, still %s", got, b.who())
		}
		b.signIn(o, "p0")
		if got := send(claims(map[string]any{"sid": nil})); got != http.StatusOK || b.who() != "." {
			t.Errorf("all sessions of a person: %d, still %s", got, b.who())
		}
	})
}

func TestConfirmAnew(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		o := ops[0]
		b.signIn(o, "p0")
		fresh := func() bool { return strings.HasSuffix(b.body("/who"), "true") }
		if fresh() {
			t.Error("fresh after an ordinary sign-in")
		}
		confirm := func() int {
			code, state := o.code(b.leave("p0?purpose=confirm"))
			return b.do("GET", back("p0", code, state), nil).StatusCode
		}
		o.claims = map[string]any{"auth_time": time.Now().Add(-time.Hour).Unix()}
		if got := confirm(); got != http.StatusForbidden || fresh() {
			t.Errorf("an old sign-in confirms: %d", got)
		}
		o.claims = map[string]any{"auth_time": nil}
		if got := confirm(); got != http.StatusForbidden || fresh() {
			t.Errorf("no time confirms: %d", got)
		}
		o.claims = nil
		o.subject = "sub-2"
		if got := confirm(); got != http.StatusForbidden || fresh() {
			t.Errorf("somebody else confirms: %d", got)
		}
		o.subject = "sub-1"
		before := maps.Clone(b.cookies)
		if got := confirm(); got != http.StatusSeeOther || !fresh() {
			t.Errorf("confirming: %d", got)
		}
		if o.asked.Get("prompt") != "login" || o.asked.Get("max_age") != "0" {
			t.Errorf("the request: %v", o.asked)
		}
		thief := b.other()
		thief.cookies = before
		if thief.who() != "." {
			t.Error("the token from before the confirmation is worth the same now")
		}
	})
}

func TestSafeReturn(t *testing.T) {
	for to, want := range map[string]string{
		"/me/data": "/me/data", "/me/data?page=2": "/me/data?page=2", "": "/me/", "/": "/me/", "/office/": "/me/", "//evil.example/me/": "/me/", "https://evil.example/me/": "/me/",
		"/me/../office/": "/me/", "/me//evil.example": "/me/", `/me/\evil.example`: "/me/", "/me/\r\nSet-Cookie: x": "/me/", "/meevil": "/me/", "/me/sign-in": "/me/", "/me/sign-in/with/x": "/me/",
		"/me/sign-out": "/me/", "javascript:alert(1)": "/me/", "/me/%2e%2e/office/": "/me/", "/me/" + strings.Repeat("x", 2000): "/me/", "/me/%2F/evil.example": "/me/",
	} {
		if got := SafeReturn(Me, to); got != want {
			t.Errorf("SafeReturn(%.40q) = %q", to, got)
		}
	}
}

func TestProviderIsChecked(t *testing.T) {
	good := func() *Provider {
		return &Provider{ID: "a", Issuer: "https://id.example", ClientID: "c", For: ForPeople, Name: gov.Text{"fr": "x"}}
	}
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Provider){
		"http":       func(p *Provider) { p.Issuer = "http://id.example" },
		"a query":    func(p *Provider) { p.Issuer = "https://id.example?x=1" },
		"a user":     func(p *Provider) { p.Issuer = "https://u@id.example" },
		"no host":    func(p *Provider) { p.Issuer = "https:///x" },
		"an odd id":  func(p *Provider) { p.ID = "../x" },
		"no client":  func(p *Provider) { p.ClientID = "" },
		"for nobody": func(p *Provider) { p.For = "x" },
		"no name":    func(p *Provider) { p.Name = nil },
	} {
		p := good()
		if change(p); p.Check() == nil {
			t.Errorf("a provider with %s is taken", name)
		}
	}
}
