package apptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"diwan/examples/agencies/civil"
	"diwan/internal/app"
	"diwan/internal/exchange"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
)

// peer is a member of the exchange with the keys of its gateway.
type peer struct {
	exchange.Caller
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

// sharing is what the pages of the exchange show.
type sharing struct{ member, service, contract string }

// exchangeDesk puts two members, a contract, traffic, an exchange about the sample
// person and a question into the database. There is none when the country has no
// exchange.
func exchangeDesk(t testing.TB, a *app.App, law *desk) *sharing {
	t.Helper()
	if a.Exchange == nil {
		return nil
	}
	basis := "/akn/xx/act/loi/2020/1"
	if law != nil { // a text that is here, so that the links lead somewhere
		basis = law.work
	}
	ctx, x := t.Context(), a.Exchange
	class := x.Settings().Instance + "/" + x.Settings().Classes[0].Code
	town, registry := join(t, x, class+"/TOWN", "DESK", basis), join(t, x, class+"/REGISTRY", "BIRTHS", basis)
	service := registry.Member + "/BIRTHS/acts"
	hash := agree(t, x, town, registry, town.Member+"/DESK", service, basis)
	person, err := a.Accounts.ByLogin(ctx, Person)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := a.Accounts.Reference(ctx, person.ID, "exchange")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	must(t, x.SetNode(ctx, registry.Caller, exchange.NodeState{Addresses: []string{"gateway.example:5500"}, Maintenance: "?", MaintenanceBy: "operator-7", MaintenanceSince: now}))
	n := exchange.Notice{ID: "n1", At: now, Side: exchange.Asked, Client: town.Member + "/DESK", Service: service, Operation: "GET /v1/acts/*", Contract: hash, Subject: subject, Request: "r1", Status: 200}
	must(t, x.Report(ctx, town.Caller, []exchange.Notice{n}))
	must(t, x.ReportUsage(ctx, registry.Caller, []exchange.Usage{{Hour: now.UTC().Truncate(time.Hour), Side: exchange.Answered, Client: n.Client, Service: service, Calls: 40, Errors: 3, MillisTotal: 800, MillisMax: 90}}))
	must(t, x.Ask(ctx, person.Actor, subject, "r1", exchange.KindComplaint, "?"))
	must(t, x.Revoke(ctx, person.Actor, town.Key, "?"))
	return &sharing{registry.Member, service, hash}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// join takes a member into the exchange as its gateway would.
func join(t testing.TB, x *exchange.Exchange, id, subsystem, basis string) *peer {
	t.Helper()
	ctx, by := t.Context(), gov.Actor{ID: "test"}
	must(t, x.AddMember(ctx, by, exchange.Member{ID: id, Name: gov.Text{"ar": id, "fr": id}}))
	i, err := x.Invite(ctx, by, id, "node-1", "https://directory.example")
	must(t, err)
	pub, link, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(pub)
	must(t, err)
	proof, err := pki.ProveKey(link, i.Token)
	must(t, err)
	key, tls := newKey(t), newKey(t)
	a, err := x.Enrol(ctx, exchange.Enrolment{Token: i.Token, Node: "node-1", Addresses: []string{"gateway.example:5500"}, TLSRequest: request(t, tls), MemberRequest: request(t, key), LinkKey: der, LinkProof: proof})
	must(t, err)
	cert, err := x509.ParseCertificate(a.MemberCertificate)
	must(t, err)
	must(t, x.SetSubsystem(ctx, by, id, subsystem, gov.Text{"fr": subsystem}))
	must(t, x.SetService(ctx, by, id, subsystem, "acts", exchange.Offer{Type: "OPENAPI", Title: map[string]string{"ar": subsystem, "fr": subsystem}, Classification: "personal",
		LegalBasis: []string{basis}, Events: []string{"birth.registered"}, OpenAPI: string(civil.OpenAPI)}))
	return &peer{exchange.Caller{Member: id, Node: "node-1", Key: snapshot.Hash(der)}, key, cert}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

func request(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	r, err := pki.NewRequest(k)
	must(t, err)
	return r
}

// agree makes a contract that both sides have accepted. It ends soon, so that the
// desk says so.
func agree(t testing.TB, x *exchange.Exchange, asks, answers *peer, client, service, basis string) string {
	t.Helper()
	now := time.Now()
	raw, err := json.Marshal(contract.Content{IV: "7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b", GroupID: x.Settings().Instance, HashAlgorithm: "HASH_ALGORITHM_SHA3_512", CreatedAt: now.Unix(),
		Validity: contract.Validity{NotBefore: now.Unix() - 60, NotAfter: now.AddDate(0, 0, 10).Unix()},
		Grants: []contract.Grant{{Data: contract.GrantData{Type: contract.Connection, Service: contract.Service{PeerID: answers.Member, Name: "BIRTHS.acts"},
			Outway: contract.Outway{PeerID: asks.Member, PublicKeyThumbprint: contract.KeyThumbprint(asks.cert)},
			Properties: contract.Properties{Client: client, Service: service, Operations: []contract.Operation{{Method: "GET", Path: "/v1/acts/*"}}, Fields: []string{"name", "birth.date"},
				Events: []string{"birth.registered"}, Purpose: map[string]string{"ar": "?", "fr": "?"}, LegalBasis: []string{basis}, Authorization: "D-1", RetentionDays: 30, CallsPerMinute: 60}}}}})
	must(t, err)
	hash, err := contract.Hash(raw)
	must(t, err)
	sign := func(p *peer) string {
		s, err := contract.Sign(hash, contract.Accept, now, p.key, p.cert)
		must(t, err)
		return s
	}
	_, err = x.Propose(t.Context(), asks.Caller, raw, sign(asks))
	must(t, err)
	must(t, x.Answer(t.Context(), answers.Caller, hash, contract.Accept, sign(answers)))
	return hash
}

func exchangePages(s *sharing) []Page {
	if s == nil {
		return nil
	}
	return []Page{
		{Kind: "exchange", Path: "/exchange"},
		{Kind: "exchange: nothing found", Path: "/exchange?q=zzqxwv"},
		{Kind: "service", Path: "/exchange/services/" + s.service},
		{Kind: "no service", Path: "/exchange/services/" + s.service + "x", Status: 404},
		{Kind: "joining", Path: "/exchange/join"},
		{Kind: "sign-in of a person", Path: "/me/sign-in"},
		{Kind: "who used my data", Path: "/me/data", As: Person},
		{Kind: "exchange desk", Path: "/office/exchange", As: Keeper},
		{Kind: "members", Path: "/office/exchange/members", As: Keeper},
		{Kind: "member", Path: "/office/exchange/members/" + s.member, As: Keeper},
		{Kind: "suspended keys", Path: "/office/exchange/members/" + strings.Replace(s.member, "REGISTRY", "TOWN", 1), As: Keeper},
		{Kind: "contracts", Path: "/office/exchange/contracts", As: Keeper},
		{Kind: "contract", Path: "/office/exchange/contracts/" + s.contract, As: Keeper},
		{Kind: "questions", Path: "/office/exchange/questions", As: Keeper},
		{Kind: "not their desk", Path: "/office/exchange", As: Editor, Status: 403},
	}
}
