package exchange

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

var start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// testClock is one that a test turns.
type testClock struct{ now time.Time }

func (c *testClock) Now() time.Time { return c.now }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bench is an exchange with what a test needs around it.
type bench struct {
	*testing.T
	x     *Exchange
	clock *testClock
	keys  Keys
	log   *audit.Log
}

func each2(t *testing.T, test func(b *bench)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, d *db.DB) {
		clock := &testClock{start}
		keys := Keys{Authority: newKey(t), Directory: newKey(t)}
		b := &bench{t, nil, clock, keys, audit.New(d, clock)}
		b.x = b.open(d)
		test(b)
	})
}

func (b *bench) open(d *db.DB) *Exchange {
	b.Helper()
	x, err := New(b.Context(), d, b.log, b.clock, Settings{Instance: "XX", ValidHours: 24, Classes: []MemberClass{{Code: "GOV"}, {Code: "COM"}}}, b.keys, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	return x
}

var officer = gov.Actor{ID: "officer"}

// gateway is a member's node as it stands after joining.
type gateway struct {
	Caller
	token     string
	link      ed25519.PrivateKey
	member    *ecdsa.PrivateKey
	cert      *x509.Certificate
	admission *Admission
}

func (b *bench) enrolment(token string) (Enrolment, ed25519.PrivateKey, *ecdsa.PrivateKey) {
	b.Helper()
	pub, link, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		b.Fatal(err)
	}
	proof, err := pki.ProveKey(link, token)
	if err != nil {
		b.Fatal(err)
	}
	member := newKey(b.T)
	return Enrolment{Token: token, Node: "one", Addresses: []string{"127.0.0.1:5500"}, Hosts: []string{"127.0.0.1"}, TLSRequest: b.request(newKey(b.T)), MemberRequest: b.request(member),
		LinkKey: der, LinkProof: proof}, link, member
}

func (b *bench) request(k crypto.Signer) []byte {
	b.Helper()
	r, err := pki.NewRequest(k)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// join makes a member with a node, a subsystem and a service.
func (b *bench) join(member, subsystem string) *gateway {
	b.Helper()
	ctx := b.Context()
	if err := b.x.AddMember(ctx, officer, Member{ID: member, Name: gov.Text{"en": member}}); err != nil {
		b.Fatal(err)
	}
	i, err := b.x.Invite(ctx, officer, member, "one", "https://directory.example")
	if err != nil {
		b.Fatal(err)
	}
	e, link, key := b.enrolment(i.Token)
	a, err := b.x.Enrol(ctx, e)
	if err != nil {
		b.Fatal(err)
	}
	cert, err := x509.ParseCertificate(a.MemberCertificate)
	if err != nil {
		b.Fatal(err)
	}
	err = errors.Join(b.x.SetSubsystem(ctx, officer, member, subsystem, gov.Text{"en": "system"}),
		b.x.SetService(ctx, officer, member, subsystem, "births", Offer{Type: "OPENAPI", Title: map[string]string{"en": "Births"}, Classification: "personal",
			LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"}, OpenAPI: births, Events: []string{"birth.registered"}}))
	if err != nil {
		b.Fatal(err)
	}
	return &gateway{Caller{member, "one", snapshot.Hash(e.LinkKey)}, i.Token, link, key, cert, a}
}

const births = `{"openapi":"3.0.3","info":{"title":"Births","version":"1"},"servers":[{"url":"https://in.side/v1"}],"paths":{
 "/acts/{number}":{"get":{"parameters":[{"name":"number","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"an act"}}}},
 "/acts":{"post":{"responses":{"201":{"description":"registered"}}}}}}`

func (b *bench) content(asks, answers *gateway, change func(*contract.Content)) (raw []byte, hash string) {
	b.Helper()
	c := contract.Content{IV: fmt.Sprintf("7b1f6a0e-3c4d-4e5f-8a9b-%012x", time.Now().UnixNano()&0xffffffffffff), GroupID: "XX", HashAlgorithm: "HASH_ALGORITHM_SHA3_512", CreatedAt: b.clock.now.Unix(),
		Validity: contract.Validity{NotBefore: b.clock.now.Unix(), NotAfter: b.clock.now.AddDate(1, 0, 0).Unix()},
		Grants: []contract.Grant{{Data: contract.GrantData{Type: contract.Connection,
			Service: contract.Service{PeerID: answers.Member, Name: "REGISTRY.births"}, Outway: contract.Outway{PeerID: asks.Member, PublicKeyThumbprint: contract.KeyThumbprint(asks.cert)},
			Properties: contract.Properties{Client: asks.Member + "/DESK", Service: answers.Member + "/REGISTRY/births", Operations: []contract.Operation{{Method: "GET", Path: "/acts/*"}},
				Purpose: map[string]string{"en": "to register"}, LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"}}}}}}
	if change != nil {
		change(&c)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		b.Fatal(err)
	}
	if hash, err = contract.Hash(raw); err != nil {
		b.Fatal(err)
	}
	return raw, hash
}

func (b *bench) sign(g *gateway, hash string, kind contract.Kind) string {
	b.Helper()
	s, err := contract.Sign(hash, kind, b.clock.now, g.member, g.cert)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func wants(t *testing.T, what string, err error, code string) {
	t.Helper()
	if err == nil || problem.From(err).Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// direct is the directory without a network.
type direct struct{ x *Exchange }

func (d direct) Index(ctx context.Context, have string) ([]byte, error) {
	signed, print, err := d.x.Index(ctx)
	if print == have {
		return nil, err
	}
	return signed, err
}
func (d direct) Part(ctx context.Context, hash string) ([]byte, error) { return d.x.Part(ctx, hash) }

// A gateway joins, sees the others, agrees with one, and what it reports comes
// before the person concerned.
func TestFromInvitationToContract(t *testing.T) {
	each2(t, func(b *bench) {
		ctx := b.Context()
		town, civil := b.join("XX/COM/TOWN", "DESK"), b.join("XX/GOV/CIVIL", "REGISTRY")
		keeper, err := snapshot.NewKeeper(b.TempDir(), "XX", town.admission.DirectoryKeys, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := keeper.Update(ctx, direct{b.x}, b.clock.now); err != nil {
			b.Fatal(err)
		}
		view := keeper.View()
		der, err := x509.ParseCertificate(civil.admission.TLSCertificate)
		if err != nil {
			b.Fatal(err)
		}
		if n, ok := view.NodeOf(der); !ok || n.Member != "XX/GOV/CIVIL" {
			b.Errorf("the directory does not know the other gateway: %+v", n)
		}
		if !view.HasService("XX/GOV/CIVIL/REGISTRY/births") {
			b.Error("the service is not in the directory")
		}
		if s := view.Members["XX/GOV/CIVIL"].Subsystems[0].Services[0]; len(s.Endpoints) != 2 || s.Endpoints[1].Path != "/acts/*" {
			b.Errorf("operations %+v", s.Endpoints)
		}
		body, err := b.x.Description(ctx, view.Members["XX/GOV/CIVIL"].Subsystems[0].Services[0].Description)
		if string(body) != births || err != nil {
			b.Errorf("the description: %v", err)
		}

		raw, hash := b.content(town, civil, nil)
		got, err := b.x.Propose(ctx, town.Caller, raw, b.sign(town, hash, contract.Accept))
		if err != nil || got != hash {
			b.Fatalf("proposing: %s, %v", got, err)
		}
		if err := b.x.Answer(ctx, civil.Caller, hash, contract.Accept, b.sign(civil, hash, contract.Accept)); err != nil {
			b.Fatal(err)
		}
		list, err := b.x.ChangedSince(ctx, civil.Member, 0, 10)
		if err != nil || len(list) != 1 || list[0].State != contract.Live {
			b.Fatalf("contracts %+v, %v", list, err)
		}
		// The gateway makes up its own mind from what it was sent.
		c, err := contract.Open(list[0].Signed, view.Signer)
		if err != nil || c.State(b.clock.now) != contract.Live {
			b.Errorf("as the gateway sees it: %v", err)
		}
		if list, err := b.x.ChangedSince(ctx, civil.Member, list[0].Changed, 10); len(list) != 0 || err != nil {
			b.Errorf("nothing has changed since: %d, %v", len(list), err)
		}
		person := strings.Repeat("ab", 32)
		notice := Notice{ID: "1", At: b.clock.now, Client: "XX/COM/TOWN/DESK", Service: "XX/GOV/CIVIL/REGISTRY/births", Operation: "GET /acts/*", Contract: hash, Subject: person, Request: "r1", Status: 200}
		asked, answered := notice, notice
		asked.Side, answered.Side = Asked, Answered
		if err := errors.Join(b.x.Report(ctx, town.Caller, []Notice{asked, asked}), b.x.Report(ctx, civil.Caller, []Notice{answered})); err != nil {
			b.Fatal(err)
		}
		accesses, total, err := b.x.Accesses(ctx, person, 10, 0)
		if err != nil || total != 1 || len(accesses) != 1 || !accesses[0].Asked || !accesses[0].Answered || accesses[0].Agreement == nil {
			b.Errorf("the person sees %+v of %d, %v", accesses, total, err)
		}
		wants(b.T, "speaking for another", b.x.Report(ctx, town.Caller, []Notice{answered}), "exchange.notice")

		hour := b.clock.now.Truncate(time.Hour)
		for range 2 { // the second replaces the first
			u := Usage{Hour: hour, Side: Answered, Client: notice.Client, Service: notice.Service, Calls: 5, Errors: 1, MillisTotal: 50, MillisMax: 20}
			if err := b.x.ReportUsage(ctx, civil.Caller, []Usage{u}); err != nil {
				b.Fatal(err)
			}
		}
		if list, err := b.x.Traffic(ctx, hour, 10); err != nil || len(list) != 1 || list[0].Calls != 5 {
			b.Errorf("traffic %+v, %v", list, err)
		}
		if n, err := b.log.Verify(ctx); n == 0 || err != nil {
			b.Errorf("audit: %d entries, %v", n, err)
		}
	})
}

func TestEnrolmentIsRefused(t *testing.T) {
	each2(t, func(b *bench) {
		ctx := b.Context()
		town := b.join("XX/COM/TOWN", "DESK")
		again, _, _ := b.enrolment(town.token)
		_, err := b.x.Enrol(ctx, again)
		wants(b.T, "a token twice", err, "exchange.token")

		invite := func() string {
			i, err := b.x.Invite(ctx, officer, "XX/COM/TOWN", "one", "https://directory.example")
			if err != nil {
				b.Fatal(err)
			}
			code, err := ReadInvitation(i.String())
			if err != nil || code != i {
				b.Fatalf("%+v, %v", code, err)
			}
			return i.Token
		}
		late := invite()
		b.clock.now = b.clock.now.Add(pki.TokenLife)
		e, _, _ := b.enrolment(late)
		_, err = b.x.Enrol(ctx, e)
		wants(b.T, "a token that ended", err, "exchange.token")

		other, _, _ := b.enrolment(invite())
		other.Node = "two"
		_, err = b.x.Enrol(ctx, other)
		wants(b.T, "a token of another node", err, "exchange.token")

		bare, _, _ := b.enrolment(invite())
		bare.LinkProof = bare.LinkProof[1:]
		_, err = b.x.Enrol(ctx, bare)
		wants(b.T, "a key without proof", err, "exchange.key_proof")

		// Somebody who saw the link key of another in the directory brings it in.
		token := invite()
		stolen, _, _ := b.enrolment(token)
		stolen.LinkKey = town.link.Public().(ed25519.PublicKey)
		_, err = b.x.Enrol(ctx, stolen)
		wants(b.T, "the key of another", err, "exchange.key_proof")

		if err := b.x.Suspend(ctx, officer, "XX/COM/TOWN", "closed", true); err != nil {
			b.Fatal(err)
		}
		_, err = b.x.Invite(ctx, officer, "XX/COM/TOWN", "one", "")
		wants(b.T, "inviting a suspended member", err, "exchange.member_suspended")
		e, _, _ = b.enrolment(token)
		_, err = b.x.Enrol(ctx, e)
		wants(b.T, "joining while suspended", err, "exchange.token")
	})
}

// A gateway that did not hear the answer asks again and gets the same one; nothing is
// issued twice. With a new token it comes in with the keys that it has.
func TestEnrolmentIsRepeated(t *testing.T) {
	each2(t, func(b *bench) {
		ctx := b.Context()
		town := b.join("XX/COM/TOWN", "DESK")
		proved := func(token string) Enrolment {
			e, _, _ := b.enrolment(token)
			e.LinkKey = must(x509.MarshalPKIXPublicKey(town.link.Public()))(b.T)
			e.LinkProof = must(pki.ProveKey(town.link, token))(b.T)
			e.MemberRequest = nil
			return e
		}
		keys := func() int {
			m, err := b.x.Member(ctx, "XX/COM/TOWN")
			if err != nil {
				b.Fatal(err)
			}
			return len(m.Keys)
		}
		before := keys()
		again, err := b.x.Enrol(ctx, proved(town.token))
		if err != nil || !reflect.DeepEqual(again, town.admission) || keys() != before {
			b.Fatalf("%+v, %v; %d keys, not %d", again, err, keys(), before)
		}
		other := proved(town.token)
		other.Node = "two"
		_, err = b.x.Enrol(ctx, other)
		wants(b.T, "as another node", err, "exchange.token")

		invite := func(member string) string {
			i, err := b.x.Invite(ctx, officer, member, "one", "https://directory.example")
			if err != nil {
				b.Fatal(err)
			}
			return i.Token
		}
		b.clock.now = b.clock.now.Add(pki.TokenLife)
		_, err = b.x.Enrol(ctx, proved(town.token))
		wants(b.T, "after the token's time", err, "exchange.token")
		fresh := invite("XX/COM/TOWN")
		if _, err := b.x.Enrol(ctx, proved(fresh)); err != nil || keys() != before+1 { // another TLS key
			b.Errorf("with a new token: %v, %d keys", err, keys())
		}
		b.join("XX/GOV/CIVIL", "REGISTRY")
		_, err = b.x.Enrol(ctx, proved(invite("XX/GOV/CIVIL")))
		wants(b.T, "with the key of another member", err, "exchange.key_taken")

		if err := b.x.Revoke(ctx, officer, town.Key, "lost"); err != nil {
			b.Fatal(err)
		}
		_, err = b.x.Enrol(ctx, proved(fresh))
		wants(b.T, "with a key that was revoked", err, "exchange.token")
		_, err = b.x.Enrol(ctx, proved(invite("XX/COM/TOWN")))
		wants(b.T, "with a key that was revoked and a new token", err, "exchange.key_taken")
	})
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestContractsAreRefused(t *testing.T) {
	each2(t, func(b *bench) {
		ctx := b.Context()
		town, civil, other := b.join("XX/COM/TOWN", "DESK"), b.join("XX/GOV/CIVIL", "REGISTRY"), b.join("XX/GOV/OTHER", "DESK")
		propose := func(by, signer *gateway, change func(*contract.Content)) error {
			raw, hash := b.content(town, civil, change)
			_, err := b.x.Propose(ctx, by.Caller, raw, b.sign(signer, hash, contract.Accept))
			return err
		}
		wants(b.T, "by a stranger", propose(other, other, nil), "contract.not_a_party")
		wants(b.T, "signed by another party", propose(town, civil, nil), "contract.signature_mismatch")
		wants(b.T, "over no service", propose(town, town, func(c *contract.Content) {
			c.Grants[0].Data.Properties.Service, c.Grants[0].Data.Service.Name = "XX/GOV/CIVIL/REGISTRY/deaths", "REGISTRY.deaths"
		}), "contract.no_service")
		wants(b.T, "bound to another key", propose(town, town, func(c *contract.Content) {
			c.Grants[0].Data.Outway.PublicKeyThumbprint = contract.KeyThumbprint(civil.cert)
		}), "contract.thumbprint")
		wants(b.T, "of another exchange", propose(town, town, func(c *contract.Content) { c.GroupID = "YY" }), "contract.group")
		wants(b.T, "ended", propose(town, town, func(c *contract.Content) {
			c.Validity = contract.Validity{NotBefore: start.AddDate(-1, 0, 0).Unix(), NotAfter: start.Unix() - 1}
		}), "contract.ended")

		raw, hash := b.content(town, civil, nil)
		if _, err := b.x.Propose(ctx, town.Caller, raw, b.sign(town, hash, contract.Accept)); err != nil {
			b.Fatal(err)
		}
		_, err := b.x.Propose(ctx, town.Caller, raw, b.sign(town, hash, contract.Accept))
		wants(b.T, "the same again", err, "contract.exists")
		wants(b.T, "an answer of a stranger", b.x.Answer(ctx, other.Caller, hash, contract.Accept, b.sign(other, hash, contract.Accept)), "contract.not_found")
		wants(b.T, "a revocation of what nobody accepted", b.x.Answer(ctx, civil.Caller, hash, contract.Revoke, b.sign(civil, hash, contract.Revoke)), "contract.state")
		wants(b.T, "a signature of another kind", b.x.Answer(ctx, civil.Caller, hash, contract.Accept, b.sign(civil, hash, contract.Reject)), "contract.signature_mismatch")

		// A certificate that is revoked signs no more, and what it signed falls.
		if err := b.x.Answer(ctx, civil.Caller, hash, contract.Accept, b.sign(civil, hash, contract.Accept)); err != nil {
			b.Fatal(err)
		}
		if err := b.x.Revoke(ctx, officer, snapshot.Hash(civil.cert.Raw), "stolen"); err != nil {
			b.Fatal(err)
		}
		if a, err := b.x.Agreement(ctx, hash); err != nil || a.State != contract.Proposed {
			b.Errorf("after a revocation: %+v, %v", a, err)
		}
	})
}

// The directory's serial only grows; it is signed anew after a change and after a
// while; a second copy of the program and one that starts again go on with it.
func TestIndexGrows(t *testing.T) {
	each2(t, func(b *bench) {
		ctx := b.Context()
		serial := func(x *Exchange) int64 {
			signed, _, err := x.Index(ctx)
			if err != nil {
				b.Fatal(err)
			}
			_, keys, err := x.trust()
			if err != nil {
				b.Fatal(err)
			}
			i, err := snapshot.Open(signed, keys)
			if err != nil {
				b.Fatal(err)
			}
			return i.Serial
		}
		if n := serial(b.x); n != 1 || serial(b.x) != 1 {
			b.Errorf("the first is %d", n)
		}
		b.clock.now = b.clock.now.Add(2 * lookAgain)
		other := b.open(b.x.store.db)
		if other.Fingerprint() != b.x.Fingerprint() {
			b.Error("another copy made another authority")
		}
		if err := other.AddMember(ctx, officer, Member{ID: "XX/COM/TOWN", Name: gov.Text{"en": "Town"}}); err != nil {
			b.Fatal(err)
		}
		if serial(b.x) != 2 || serial(other) != 2 {
			b.Error("a change that the other copy made is not there")
		}
		b.clock.now = b.clock.now.Add(freshFor)
		if serial(other) != 3 {
			b.Error("it is not signed anew after a while")
		}
	})
}

func TestOffersThatAreRefused(t *testing.T) {
	each2(t, func(b *bench) {
		b.join("XX/GOV/CIVIL", "REGISTRY")
		good := Offer{Type: "OPENAPI", Title: map[string]string{"en": "Births"}, Classification: "personal", LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"}, OpenAPI: births}
		for name, tt := range map[string]struct {
			change func(*Offer)
			code   string
		}{
			"no description":               {func(o *Offer) { o.OpenAPI = "" }, "exchange.openapi"},
			"a description of another age": {func(o *Offer) { o.OpenAPI = `{"swagger":"2.0"}` }, "exchange.openapi"},
			"a file of ours": {func(o *Offer) {
				o.OpenAPI = strings.Replace(births, `{"description":"an act"}`, `{"$ref":"/etc/passwd"}`, 1)
			}, "exchange.openapi"},
			"no legal basis":         {func(o *Offer) { o.LegalBasis = nil }, "exchange.legal_basis_missing"},
			"a basis that is no law": {func(o *Offer) { o.LegalBasis = []string{"https://example.org"} }, "exchange.legal_basis"},
			"no class of data":       {func(o *Offer) { o.Classification = "" }, "exchange.classification"},
			"no title":               {func(o *Offer) { o.Title = nil }, "exchange.name"},
			"a huge one":             {func(o *Offer) { o.OpenAPI = strings.Repeat(" ", maxOpenAPI+1) }, "exchange.too_long"},
		} {
			o := good
			tt.change(&o)
			wants(b.T, name, b.x.SetService(b.Context(), officer, "XX/GOV/CIVIL", "REGISTRY", "births", o), tt.code)
		}
		wants(b.T, "a reserved code", b.x.SetService(b.Context(), officer, "XX/GOV/CIVIL", "REGISTRY", "listMethods", good), "exchange.code")
		wants(b.T, "no such subsystem", b.x.SetService(b.Context(), officer, "XX/GOV/CIVIL", "NONE", "births", good), "exchange.subsystem_not_found")
	})
}

func FuzzReadInvitation(f *testing.F) {
	f.Add(Invitation{Directory: "https://d", Member: "m", Node: "n", Token: "t", Key: strings.Repeat("0", 64)}.String())
	f.Add("dxj_")
	f.Fuzz(func(t *testing.T, code string) {
		if i, err := ReadInvitation(code); err == nil && i.Token == "" {
			t.Fatal("an invitation without a token")
		}
	})
}
