package verifier

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/credential"
	"diwan/internal/credential/specimen"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/internal/verifier/check"
	"diwan/internal/wallet/holder"
	"diwan/protocol/openid4"
	"diwan/protocol/sdjwt"
)

// decided is what a decision says of anybody.
type decided struct{}

func (decided) Facts(context.Context, string) (credential.Facts, error) {
	face, err := specimen.Portrait()
	if err != nil {
		return nil, err
	}
	return credential.Facts{"decision": map[string]any{"on": "2026-03-01"}, "office": map[string]any{"name": map[string]any{"fr": "Commune", "ar": "Commune"}},
		"applicant": map[string]any{"name": "Salma EL MITAL"}, "case": map[string]any{"number": "2026-AAAA"},
		"answers": map[string]any{"land": map[string]any{"title": "12345/06"}, "project": map[string]any{"floors": json.Number("2"), "covered": json.Number("140")}},
		"register": map[string]any{"family_name": "EL MITAL", "given_name": "Salma", "birth_date": "1990-04-12", "expiry_date": "2036-03-31", "issuing_country": "MA", "number": "00/1", "categories": "B", "age_over_18": true,
			"portrait": base64.StdEncoding.EncodeToString(face), "driving_privileges": []any{map[string]any{"vehicle_category_code": "A1", "issue_date": "2014-05-02"}, map[string]any{"vehicle_category_code": "B", "issue_date": "2016-04-01", "expiry_date": "2036-03-31"}}},
		"country": map[string]any{"code": "MA", "distinguishing_sign": "MA"}}, nil
}

type personKeys struct{}

func (personKeys) PersonKey(_ context.Context, person string) ([]byte, error) {
	sum := sha256.Sum256([]byte(person))
	return sum[:], nil
}

// chain is the whole on one machine: the issuer, a wallet on the command line,
// and this verifier.
type chain struct {
	*testing.T
	hand     *handClock
	url      string
	issuer   *credential.Credentials
	verifier *Verifier
	wallet   *holder.Wallet
	kit      *check.Kit
}

func newChain(t *testing.T, d *db.DB) *chain {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{T: t, hand: &handClock{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	c.url = srv.URL
	dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
	store, err := keys.Open(dir, filepath.Join(dir, "identity"), c.hand)
	if err != nil {
		t.Fatal(err)
	}
	c.issuer, err = credential.New(credential.Options{DB: d, Clock: c.hand, Country: pack.Country, Audit: audit.New(d, c.hand), Persons: personKeys{}, Keys: store, Sources: decided{}, Base: c.url,
		OfficeName: func(id string) gov.Text { return gov.Text{"fr": "Office " + id} }, May: func(context.Context, gov.Actor, string, *credential.Document) error { return nil },
		Ready: func(context.Context, *db.Tx, *credential.Document) error { return nil }, Secret: bytes.Repeat([]byte{7}, 32), StatusLife: 10 * time.Second, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Silence string            `json:"silence"`
		Types   []credential.Type `json:"types"`
	}
	if err := country.Decode(pack.Files, "credentials.json", &plan); err != nil {
		t.Fatal(err)
	}
	if err := c.issuer.LoadTypes(t.Context(), plan.Types); err != nil {
		t.Fatal(err)
	}
	c.issuer.Register(mux, func(h http.Handler) http.Handler { return h })
	der, err := c.issuer.Anchor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	c.kit = check.New(check.Options{Operator: c.url, Anchors: []*x509.Certificate{anchor}, TrustURL: c.url + "/trust/issuers", ListsURL: c.url + "/status", Fetch: check.Fetcher(check.Transport(nil, true)), Now: c.hand.Now, Types: c.types})
	root := certified(t, "authority of verifiers", nil, c.hand.Now())
	asker := certified(t, "bank", &root, c.hand.Now())
	c.verifier, err = New(Options{DB: d, Clock: c.hand, Country: pack.Country, Log: quiet, Base: c.url, Secret: make([]byte, 32), Kit: c.kit, Demo: true,
		Identity: func(context.Context, string, gov.Text) (crypto.Signer, []*x509.Certificate, error) {
			return asker.key, []*x509.Certificate{asker.cert}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.verifier.Enrol(t.Context(), parties(t)); err != nil {
		t.Fatal(err)
	}
	c.verifier.RegisterWallets(mux)
	(&API{c.verifier, newSite(t, pack.Country, c.hand)}).Register(mux)
	folder := t.TempDir()
	s, err := holder.OpenStore(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	c.wallet = &holder.Wallet{Store: s, Now: c.hand.Now, Anchors: []*x509.Certificate{anchor}}
	return c
}

// types fetches the descriptions of two types, as they are published; that of the licence
// also describes its ISO form.
func (c *chain) types(ctx context.Context) ([]*sdjwt.TypeMetadata, error) {
	var out []*sdjwt.TypeMetadata
	for _, id := range []string{"building-permit", "driving-licence"} {
		r, err := http.NewRequestWithContext(ctx, "GET", c.url+"/issue/types/"+id, nil)
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return nil, err
		}
		m, err := sdjwt.ParseType(b)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		if id == "driving-licence" {
			iso := *m
			iso.VCT = licence
			out = append(out, &iso)
		}
	}
	return out, nil
}

// receive has a document decided, and takes it into the wallet.
func (c *chain) receive(kind, office, format string) *credential.Document {
	c.Helper()
	d, err := c.issuer.Make(c.Context(), credential.Source{ID: "case of " + kind, Type: kind, Administration: office, Person: "salma", By: "agent", On: gov.Date{Year: 2026, Month: 3, Day: 1}})
	if err != nil {
		c.Fatal(err)
	}
	o, err := c.issuer.OfferOf(c.Context(), d)
	if err != nil {
		c.Fatal(err)
	}
	link, err := c.issuer.Link(o, true)
	if err != nil {
		c.Fatal(err)
	}
	if got, err := c.wallet.Receive(c.Context(), link, holder.ReceiveOptions{TxCode: o.TxCode, Format: format, Copies: 2}); err != nil || len(got) != 1 {
		c.Fatalf("receiving %s: %d documents, %v", kind, len(got), err)
	}
	return d
}

func (c *chain) call(method, address, body string) map[string]any {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	m := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil || res.StatusCode >= 300 {
		c.Fatalf("%s: %d %v %v", address, res.StatusCode, m, err)
	}
	return m
}

// verdict asks the wallet with a template and returns what the verifier is told.
func (c *chain) verdict(template string) (state, claims, reasons string, declined error) {
	c.Helper()
	b := c.call("POST", c.url+"/api/v1/verifications", `{"template":"`+template+`"}`)
	q, err := c.wallet.Ask(c.Context(), b["link"].(string))
	if err != nil {
		c.Fatal(err)
	}
	p, err := c.wallet.Plan(c.Context(), q, holder.PresentOptions{})
	if err != nil {
		return "", "", "", err
	}
	if _, err := c.wallet.Present(c.Context(), p); err != nil {
		c.Fatal(err)
	}
	s := c.call("GET", b["status_url"].(string), "")
	got, _ := json.Marshal(s["claims"])
	why, _ := json.Marshal(s["reasons"])
	return s["state"].(string), string(got), string(why), nil
}

// TestFromDecisionToBank goes the whole way with the issuer and a wallet of this house.
func TestFromDecisionToBank(t *testing.T) {
	sets := []db.Migrations{audit.Migrations(), credential.Migrations(), Migrations()}
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		c := newChain(t, d)
		permit := c.receive("building-permit", "commune", openid4.SDJWT)
		c.receive("driving-licence", "narsa", openid4.MDoc)
		if state, claims, why, err := c.verdict("permit-loan"); err != nil || state != Accepted || claims != `{"permit":{"holder":"Salma EL MITAL","land_title":"12345/06"}}` {
			t.Errorf("the permit is %s, %s, %s, %v", state, claims, why, err)
		}
		if state, claims, why, err := c.verdict("adult"); err != nil || state != Accepted || claims != `{"age":{"age_over_18":true}}` {
			t.Errorf("the age is %s, %s, %s, %v", state, claims, why, err)
		}
		// Revoked between the wallet's look and the answer: the verifier finds out.
		b := c.call("POST", c.url+"/api/v1/verifications", `{"template":"permit-loan"}`)
		q, err := c.wallet.Ask(t.Context(), b["link"].(string))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := c.wallet.Plan(t.Context(), q, holder.PresentOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.issuer.Change(t.Context(), gov.Actor{ID: "officer", Administration: "commune"}, permit.ID, credential.Revoked, "Built otherwise."); err != nil {
			t.Fatal(err)
		}
		c.hand.add(15 * time.Second)
		if _, err := c.wallet.Present(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		s := c.call("GET", b["status_url"].(string), "")
		if why, _ := json.Marshal(s["reasons"]); s["state"] != Refused || string(why) != `["revoked"]` {
			t.Errorf("revoked: %v", s)
		}
		// Without a network, with the lists of now.
		if err := c.kit.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		file, err := c.kit.Export()
		if err != nil {
			t.Fatal(err)
		}
		k, err := check.Import(file, check.Options{Now: c.hand.Now})
		if err != nil {
			t.Fatal(err)
		}
		held, err := c.wallet.Store.List()
		if err != nil || len(held) != 2 {
			t.Fatal(len(held), err)
		}
		for _, x := range held {
			r := k.Document(t.Context(), x.Copies[0].Value)
			if want := map[string]check.State{openid4.SDJWT: check.Refused, openid4.MDoc: check.Accepted}[x.Format]; r.State != want || r.Names["fr"] == "" || r.Issuer.Names["fr"] == "" {
				t.Errorf("%s without a network: %s %v %s %+v", x.Format, r.State, r.Reasons, r.Trace, r.Names)
			}
		}
	})
}
