package verifier

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
)

// TestJourney is a bank that asks for two fields of a permit.
func TestJourney(t *testing.T) {
	each(t, func(w *world) {
		b := w.begun("permit-loan")
		if s, _ := w.status(b.StatusURL); s.State != Waiting || s.Claims != nil || len(s.Reasons) != 0 {
			w.Errorf("at first: %+v", s)
		}
		q := w.open(b.Link)
		if len(q.Info) != 1 || !strings.Contains(string(q.Info[0].Data), `"demonstration":true`) || q.Mode != vp.DirectPostJWT || q.State != b.ID {
			w.Errorf("the request says %+v", q)
		}
		if s, _ := w.status(b.StatusURL); s.State != Fetched {
			w.Errorf("then: %+v", s)
		}
		// The wallet shows more than it was asked.
		rec := w.post(q, w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle, pathWorks)}}))
		if rec.Code != http.StatusOK || strings.TrimSpace(rec.Body.String()) != "{}" {
			w.Fatalf("%d %s", rec.Code, rec.Body)
		}
		s, _ := w.status(b.StatusURL)
		if s.State != Accepted || len(s.Reasons) != 0 {
			w.Fatalf("at last: %+v", s)
		}
		got, _ := json.Marshal(s.Claims)
		if string(got) != `{"permit":{"holder":"Salma EL MITAL","land_title":"12345/06"}}` {
			w.Errorf("claims %s", got)
		}
		if d := s.Documents[0].Result; !d.Holder || d.Issuer.ID != "town" || d.TrustMade.IsZero() || d.StatusMade.IsZero() {
			w.Errorf("the document %+v", d)
		}
		// The template keeps the outcome alone, and that for an hour.
		if s, _ := w.status(b.StatusURL); s.State != Accepted || s.Claims != nil || !s.Told {
			w.Errorf("told again: %+v", s)
		}
		w.hand.add(61 * time.Minute)
		if _, code := w.status(b.StatusURL); code != http.StatusNotFound {
			w.Errorf("after an hour: %d", code)
		}
		if err := w.Sweep(w.Context()); err != nil {
			w.Fatal(err)
		}
		var n int
		if err := w.DB.Reader().QueryRow(`SELECT COUNT(*) FROM verifier_request`).Scan(&n); err != nil || n != 0 {
			w.Errorf("%d rows are left, %v", n, err)
		}
	})
}

// TestRevoked refuses what was accepted before, with the reason.
func TestRevoked(t *testing.T) {
	each(t, func(w *world) {
		for i, want := range []string{Accepted, Refused} {
			b := w.begun("permit-loan")
			q := w.open(b.Link)
			w.post(q, w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}}))
			s, _ := w.status(b.StatusURL)
			if s.State != want || i == 1 && !slices.Equal(s.Reasons, []check.Reason{check.Revoked}) {
				w.Errorf("%d: %+v", i, s)
			}
			if s.State == Refused && (s.Claims != nil || s.Documents != nil) {
				w.Errorf("a refused document is told: %+v", s)
			}
			w.hand.add(2 * time.Minute)
			w.revoke(3)
		}
	})
}

// TestISO shows a driving licence.
func TestISO(t *testing.T) {
	each(t, func(w *world) {
		b := w.begun("driver")
		q := w.open(b.Link)
		public := q.EncryptionKey()
		print, err := jwe.Thumbprint(public)
		if err != nil {
			w.Fatal(err)
		}
		in, err := mdoc.Parse(w.licenceText)
		if err != nil {
			w.Fatal(err)
		}
		transcript, err := mdoc.Transcript(q.ClientID, q.Nonce, print, q.ResponseURI)
		if err != nil {
			w.Fatal(err)
		}
		var names []mdoc.Name
		for _, n := range []string{"family_name", "given_name", "expiry_date", "driving_privileges", "birth_date"} {
			names = append(names, mdoc.Name{NameSpace: licenceNS, Identifier: n})
		}
		shown, err := in.Present(names, w.holder, transcript)
		if err != nil {
			w.Fatal(err)
		}
		rec := w.post(q, w.sealed(q, vp.Tokens{"licence": {base64.RawURLEncoding.EncodeToString(shown)}}))
		s, _ := w.status(b.StatusURL)
		got, _ := json.Marshal(s.Claims)
		if rec.Code != http.StatusOK || s.State != Accepted || string(got) != `{"licence":{"driving_privileges":[{"expiry_date":"2036-03-01","vehicle_category_code":"B"}],"expiry_date":"2036-03-01","family_name":"EL MITAL","given_name":"Salma"}}` {
			w.Errorf("%d %+v %s", rec.Code, s, got)
		}
	})
}

// TestAnswersRefused goes through hostile and faulty answers: those that settle the
// request and those that must leave it as it is.
func TestAnswersRefused(t *testing.T) {
	each(t, func(w *world) {
		good := func(q *vp.Request) vp.Tokens {
			return vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}}
		}
		proof := func(change func(*sdjwt.Proof)) func(q *vp.Request) url.Values {
			return func(q *vp.Request) url.Values {
				return w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, change, pathHolder, pathTitle)}})
			}
		}
		otherKey, err := jwe.NewKey()
		if err != nil {
			w.Fatal(err)
		}
		reseal := func(q *vp.Request, kid string) url.Values {
			b, _ := json.Marshal(map[string]any{"vp_token": good(q), "state": q.State})
			public := otherKey.Public()
			if kid != "" {
				public.KeyID = kid
			}
			s, err := jwe.Seal(b, &public, jwe.A128GCM, "")
			if err != nil {
				w.Fatal(err)
			}
			return url.Values{"response": {s}}
		}
		for name, c := range map[string]struct {
			form    func(q *vp.Request) url.Values
			status  int
			state   string
			reasons string
		}{
			"wrong nonce":    {proof(func(p *sdjwt.Proof) { p.Nonce = "another" }), 400, Refused, "[wrong_nonce]"},
			"wrong audience": {proof(func(p *sdjwt.Proof) { p.Audience = "x509_hash:other" }), 200, Refused, "[holder_not_proved]"},
			"no prefix":      {proof(func(p *sdjwt.Proof) { p.Audience = strings.TrimPrefix(p.Audience, "x509_hash:") }), 200, Refused, "[holder_not_proved]"},
			"no binding": {func(q *vp.Request) url.Values {
				s := w.show(w.permitText, q, nil, pathHolder, pathTitle)
				return w.sealed(q, vp.Tokens{"permit": {s[:strings.LastIndex(s, "~")+1]}})
			}, 200, Refused, "[holder_not_proved]"},
			"a claim is missing": {func(q *vp.Request) url.Values {
				return w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder)}})
			}, 200, Refused, "[query_not_met]"},
			"of another type": {func(q *vp.Request) url.Values {
				text := w.permit(9, func(m map[string]any) { m["vct"] = "urn:ma:gov:diplome:1" })
				return w.sealed(q, vp.Tokens{"permit": {w.show(text, q, nil, pathHolder, pathTitle)}})
			}, 200, Refused, "[untrusted_issuer]"},
			"expired": {func(q *vp.Request) url.Values {
				text := w.permit(9, func(m map[string]any) { m["exp"] = w.hand.Now().Add(-time.Hour).Unix() })
				return w.sealed(q, vp.Tokens{"permit": {w.show(text, q, nil, pathHolder, pathTitle)}})
			}, 200, Refused, "[expired]"},
			"two for one": {func(q *vp.Request) url.Values {
				s := good(q)["permit"][0]
				return w.sealed(q, vp.Tokens{"permit": {s, s}})
			}, 200, Refused, "[query_not_met]"},
			"to another question": {func(q *vp.Request) url.Values { return w.sealed(q, vp.Tokens{"other": good(q)["permit"]}) }, 200, Refused, "[query_not_met]"},
			"rubbish":             {func(q *vp.Request) url.Values { return w.sealed(q, vp.Tokens{"permit": {"x~"}}) }, 200, Refused, "[unreadable]"},
			"declined, encrypted": {func(q *vp.Request) url.Values { return q.Refuse("access_denied") }, 200, Refused, "[query_not_met]"},
			"declined, plain": {func(q *vp.Request) url.Values {
				return url.Values{"error": {"access_denied"}, "state": {q.State}}
			}, 200, Refused, "[query_not_met]"},
			"another key":        {func(q *vp.Request) url.Values { return reseal(q, "") }, 400, Fetched, "[]"},
			"another key, named": {func(q *vp.Request) url.Values { return reseal(q, q.EncryptionKey().KeyID) }, 400, Fetched, "[]"},
			"our key, by another name": {func(q *vp.Request) url.Values {
				b, _ := json.Marshal(map[string]any{"vp_token": good(q), "state": q.State})
				public := *q.EncryptionKey()
				public.KeyID = "another"
				s, err := jwe.Seal(b, &public, jwe.A128GCM, "")
				if err != nil {
					w.Fatal(err)
				}
				return url.Values{"response": {s}}
			}, 400, Fetched, "[]"},
			"not encrypted": {func(q *vp.Request) url.Values {
				b, _ := json.Marshal(good(q))
				return url.Values{"vp_token": {string(b)}, "state": {q.State}}
			}, 400, Fetched, "[]"},
			"another state, plain": {func(q *vp.Request) url.Values { return url.Values{"error": {"access_denied"}, "state": {"x"}} }, 400, Fetched, "[]"},
			"another state":        {func(q *vp.Request) url.Values { other := *q; other.State = "x"; return w.sealed(&other, good(q)) }, 400, Fetched, "[]"},
			"nothing":              {func(*vp.Request) url.Values { return url.Values{} }, 400, Fetched, "[]"},
			"no message":           {func(*vp.Request) url.Values { return url.Values{"response": {"a.b.c.d.e"}} }, 400, Fetched, "[]"},
			"twice the same": {func(q *vp.Request) url.Values {
				f := w.sealed(q, good(q))
				f["response"] = append(f["response"], f["response"][0])
				return f
			}, 400, Fetched, "[]"},
			"too long": {func(*vp.Request) url.Values { return url.Values{"response": {strings.Repeat("a", maxPosted)}} }, 400, Fetched, "[]"},
		} {
			b := w.begun("permit-loan")
			q := w.open(b.Link)
			rec := w.post(q, c.form(q))
			s, _ := w.status(b.StatusURL)
			if rec.Code != c.status || s.State != c.state || fmt.Sprint(s.Reasons) != c.reasons || s.Claims != nil {
				w.Errorf("%s: %d, %+v", name, rec.Code, s)
			}
			if strings.HasPrefix(name, "declined") && s.Error != "access_denied" {
				w.Errorf("%s: the wallet's code is %q", name, s.Error)
			}
			if c.state == Fetched { // it is still good for its own wallet
				if rec := w.post(q, w.sealed(q, good(q))); rec.Code != 200 {
					w.Errorf("%s: afterwards %d", name, rec.Code)
				}
			}
			if rec := w.post(q, w.sealed(q, good(q))); rec.Code != 400 {
				w.Errorf("%s: a second answer: %d", name, rec.Code)
			}
		}
	})
}

// TestOnce lets several answers come at the same time.
func TestOnce(t *testing.T) {
	each(t, func(w *world) {
		b := w.begun("permit-loan")
		q := w.open(b.Link)
		form := w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}})
		codes := make([]int, 8)
		var wg sync.WaitGroup
		for i := range codes {
			wg.Go(func() { codes[i] = w.post(q, form).Code })
		}
		wg.Wait()
		good := 0
		for _, c := range codes {
			if c == http.StatusOK {
				good++
			}
		}
		if good != 1 {
			w.Errorf("answers %v", codes)
		}
	})
}

func TestEnds(t *testing.T) {
	each(t, func(w *world) {
		b := w.begun("permit-loan")
		q := w.open(b.Link)
		form := w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}})
		w.hand.add(6 * time.Minute)
		if rec := w.post(q, form); rec.Code != http.StatusBadRequest {
			w.Errorf("too late: %d", rec.Code)
		}
		if rec := w.ask("GET", b.RequestURI, "", "", nil); rec.Code != http.StatusNotFound {
			w.Errorf("fetched too late: %d", rec.Code)
		}
		if s, _ := w.status(b.StatusURL); s.State != Expired {
			w.Errorf("%+v", s)
		}
		// Who saw the code alone can read nothing.
		for _, u := range []string{base + "/api/v1/verifications/" + b.ID + "/" + b.ID, base + "/api/v1/verifications/" + b.ID + "/x", base + "/api/v1/verifications/none/x"} {
			if _, code := w.status(u); code != http.StatusNotFound {
				w.Errorf("%s: %d", u, code)
			}
		}
		// A certificate that was renewed in between is another client.
		b = w.begun("permit-loan")
		w.asker = certified(w.T, "bank", &w.root, w.hand.Now())
		if rec := w.ask("GET", b.RequestURI, "", "", nil); rec.Code != http.StatusNotFound {
			w.Errorf("by another certificate: %d", rec.Code)
		}
	})
}

func TestSameDevice(t *testing.T) {
	each(t, func(w *world) {
		p := parties(w.T)
		p.Verifiers[0].Returns = []string{"https://shop.example/done"}
		if err := w.Enrol(w.Context(), p); err != nil {
			w.Fatal(err)
		}
		b, code, _ := w.begin(`{"template":"permit-loan","flow":"same_device","return_uri":"https://shop.example/done"}`, nil)
		if code != http.StatusCreated {
			w.Fatal(code)
		}
		q := w.open(b.Link)
		rec := w.post(q, w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}}))
		receipt, err := vp.ParseReceipt(rec.Body.Bytes())
		if err != nil {
			w.Fatal(err)
		}
		page, response, _ := strings.Cut(receipt.RedirectURI, "#response_code=")
		if page != "https://shop.example/done" || len(response) < 22 {
			w.Fatalf("%+v", receipt)
		}
		for _, wrong := range []string{"", "?response_code=x"} {
			if s, _ := w.status(b.StatusURL + wrong); s.State != Fetched || s.Claims != nil {
				w.Errorf("without the code: %+v", s)
			}
		}
		if s, _ := w.status(b.StatusURL + "?response_code=" + response); s.State != Accepted || s.Claims == nil {
			w.Errorf("with the code: %+v", s)
		}
		for _, body := range []string{`{"template":"permit-loan","flow":"same_device","return_uri":"https://evil.example/"}`, `{"template":"permit-loan","return_uri":"https://shop.example/done"}`,
			`{"template":"permit-loan","flow":"same_device"}`, `{"template":"permit-loan","flow":"other"}`} {
			if _, code, _ := w.begin(body, nil); code != http.StatusBadRequest {
				w.Errorf("%s: %d", body, code)
			}
		}
	})
}

func TestAsking(t *testing.T) {
	each(t, func(w *world) {
		query := func(format, meta, claims string) string {
			return `{"verifier":"bank-demo","dcql":{"credentials":[{"id":"a","format":"` + format + `","meta":` + meta + `,"claims":[` + claims + `]}]}}`
		}
		permit := `{"vct_values":["` + permitType + `"]}`
		for name, c := range map[string]struct{ body, code string }{
			"within":           {query("dc+sd-jwt", permit, `{"path":["holder"]}`), ""},
			"one claim more":   {query("dc+sd-jwt", permit, `{"path":["holder"]},{"path":["works"]}`), "verification.over_asked"},
			"another type":     {query("dc+sd-jwt", `{"vct_values":["urn:ma:gov:bulletin-3:1"]}`, `{"path":["holder"]}`), "verification.over_asked"},
			"a type beside":    {query("dc+sd-jwt", `{"vct_values":["`+permitType+`","urn:x:1"]}`, `{"path":["holder"]}`), "verification.over_asked"},
			"another format":   {query("mso_mdoc", `{"doctype_value":"`+permitType+`"}`, `{"path":["holder","x"]}`), "verification.over_asked"},
			"unknown format":   {query("jwt_vc_json", `{}`, `{"path":["holder"]}`), "verification.over_asked"},
			"without holder":   {strings.Replace(query("dc+sd-jwt", permit, `{"path":["holder"]}`), `"id":"a"`, `"id":"a","require_cryptographic_holder_binding":false`, 1), "verification.unbound"},
			"malformed":        {query("dc+sd-jwt", permit, `{"path":[]}`), "verification.query"},
			"nothing":          {`{}`, "verification.what"},
			"both":             {`{"template":"permit-loan","dcql":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":` + permit + `}]}}`, "verification.what"},
			"unknown template": {`{"template":"none"}`, "verification.no_template"},
			"unknown verifier": {`{"template":"permit-loan","verifier":"none"}`, "verification.no_verifier"},
			"who may":          {`{"dcql":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":` + permit + `}]}}`, ""},
			"nobody may":       {`{"dcql":{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["urn:x:1"]}}]}}`, "verification.over_asked"},
			"unknown name":     {`{"templat":"permit-loan"}`, "verification.json"},
			"no JSON":          {`{`, "verification.json"},
			"two":              {`{"template":"permit-loan"}{}`, "verification.json"},
		} {
			if _, _, code := w.begin(c.body, nil); code != c.code {
				w.Errorf("%s: %q, want %q", name, code, c.code)
			}
		}
		// The error names the claim.
		rec := w.ask("POST", "/api/v1/verifications", "application/json", query("dc+sd-jwt", permit, `{"path":["works"]}`), nil)
		if !strings.Contains(rec.Body.String(), `works`) || !strings.Contains(rec.Body.String(), "/credentials/0/claims/0") || rec.Code != http.StatusForbidden {
			w.Errorf("%d %s", rec.Code, rec.Body)
		}
		// Without the demonstration only a token opens.
		id, secret, err := w.MakeToken(w.Context(), w.actor(), "bank-demo", "shop")
		if err != nil {
			w.Fatal(err)
		}
		w.Demo = false
		body := `{"template":"permit-loan"}`
		for _, h := range []string{"", "Bearer x", "Bearer diwan_v_00", "Basic " + secret} {
			head := map[string]string{}
			if h != "" {
				head["Authorization"] = h
			}
			if _, status, code := w.begin(body, head); status != http.StatusUnauthorized || code != "verification.token" {
				w.Errorf("%q: %d %s", h, status, code)
			}
		}
		head := map[string]string{"Authorization": "Bearer " + secret}
		if _, status, _ := w.begin(body, head); status != http.StatusCreated {
			w.Errorf("with a token: %d", status)
		}
		if _, status, _ := w.begin(`{"template":"driver"}`, head); status != http.StatusNotFound {
			w.Errorf("with a token of another: %d", status)
		}
		if err := w.RevokeToken(w.Context(), w.actor(), "bank-demo", id); err != nil {
			w.Fatal(err)
		}
		if _, status, _ := w.begin(body, head); status != http.StatusUnauthorized {
			w.Errorf("with a revoked token: %d", status)
		}
	})
}

func TestPartiesAreChecked(t *testing.T) {
	good := parties(t)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	if len(good.Verifiers) == 0 {
		t.Fatal("no verifier is registered")
	}
	for name, change := range map[string]func(*Parties){
		"asks too much":   func(p *Parties) { p.Verifiers[0].May[0].Claims = p.Verifiers[0].May[0].Claims[:1] },
		"twice":           func(p *Parties) { p.Verifiers[1].ID = p.Verifiers[0].ID },
		"template twice":  func(p *Parties) { p.Verifiers[1].Templates[0].ID = "permit-loan" },
		"keeps for ever":  func(p *Parties) { p.Verifiers[0].Templates[0].Minutes = 1 << 30 },
		"keeps otherwise": func(p *Parties) { p.Verifiers[0].Templates[0].Keep = "all" },
		"returns":         func(p *Parties) { p.Verifiers[0].Returns = []string{"http://shop.example/"} },
		"no purpose":      func(p *Parties) { p.Verifiers[0].Purpose = nil },
	} {
		p := parties(t)
		change(&p)
		if err := p.Check(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	q, err := dcql.Parse(good.Verifiers[0].Templates[0].Query)
	if err != nil {
		t.Fatal(err)
	}
	if err := good.Verifiers[1].Allows(q); !problem.Is(err, problem.Forbidden) {
		t.Errorf("another verifier: %v", err)
	}
}
