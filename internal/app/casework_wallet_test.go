package app

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/verifier/check"
	"diwan/internal/wallet/holder"
	"diwan/protocol/statuslist"
)

// Every document that a form may take from a wallet is one that the country's data can
// issue, with the claims that stand for the fields of the form.
func TestWalletEvidenceExists(t *testing.T) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var plan caseworkPlan
	var issued struct {
		Types []struct {
			ID, VCT, DocType, Namespace string
			Claims                      []struct{ Name string }
		}
	}
	if err := country.Decode(pack.Files, caseworkFile, &plan); err != nil {
		t.Fatal(err)
	}
	b, err := country.Builtin().Open("credentials.json")
	if err == nil {
		err = json.NewDecoder(b).Decode(&issued)
	}
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for service, s := range plan.Sources {
		if s.Wallet == nil {
			if s.Path == "" {
				t.Errorf("%s can be had in no way", service)
			}
			continue
		}
		at := slices.IndexFunc(issued.Types, func(x struct {
			ID, VCT, DocType, Namespace string
			Claims                      []struct{ Name string }
		}) bool {
			return x.VCT == s.Wallet.VCT && (s.Wallet.DocType == "" || x.DocType == s.Wallet.DocType && x.Namespace == s.Wallet.Namespace)
		})
		if at < 0 {
			t.Errorf("%s: nobody issues %s", service, s.Wallet.VCT)
			continue
		}
		shown[issued.Types[at].ID] = true
		if s.Type != "" && s.Type != issued.Types[at].ID {
			t.Errorf("%s stands for a %s and takes a %s", service, s.Type, issued.Types[at].ID)
		}
		for _, f := range s.Fields {
			claims := s.Wallet.Fields[f.Name]
			if len(claims) == 0 || f.Label.Empty() {
				t.Errorf("%s: %s is said by no claim, or has no name", service, f.Name)
			}
			for _, c := range claims {
				if !slices.ContainsFunc(issued.Types[at].Claims, func(x struct{ Name string }) bool { return x.Name == c }) {
					t.Errorf("%s: %s has no claim %s", service, issued.Types[at].ID, c)
				}
			}
		}
	}
	for _, id := range []string{"birth-extract", "residence-certificate", "criminal-record", "cnss-attestation", "driving-licence", "vehicle-registration", "property-certificate", "diploma"} {
		if !shown[id] {
			t.Errorf("no form can take a %s from a wallet", id)
		}
	}
}

// A document for which there is no data service is shown by the wallet or brought; nobody
// is offered to have it fetched, and nobody can have it fetched by an edited page.
func TestDocumentThatOnlyAWalletShows(t *testing.T) {
	c := &turnedClock{}
	c.at.Store(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix())
	i := serveAppAt(t, c, nil)
	first, err := i.Casework.Form(t.Context(), presentedProcedure, "")
	if err != nil {
		t.Fatal(err)
	}
	var doc form.Doc
	b, err := json.Marshal(first.Doc())
	if err == nil {
		err = json.Unmarshal(b, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	doc.Version = "wallet-only"
	for x := range doc.Pages {
		for y := range doc.Pages[x].Questions {
			if q := &doc.Pages[x].Questions[y]; q.Once != nil {
				q.Once.Service, q.Once.Fields = "wallet/criminal-record", []string{"holder", "nothing_recorded"}
			}
		}
	}
	if b, err = json.Marshal(doc); err != nil {
		t.Fatal(err)
	}
	if found, err := i.Casework.PublishForm(t.Context(), gov.Actor{}, b); err != nil {
		t.Fatal(err, found)
	}
	p := newPresentation(t, i, c)
	person := p.reader("salma.demo")
	if _, page := person.get("/en/me/drafts/" + p.draft.ID + "/pages/property"); strings.Contains(page, `value="fetch"`) || !strings.Contains(page, `value="wallet"`) || !strings.Contains(page, `value="bring"`) {
		t.Error("the question offers what is not there")
	}
	if _, page := person.get(p.page); strings.Contains(page, `value="fetch"`) || !strings.Contains(page, `value="wallet-other"`) {
		t.Error("the page of the document offers to fetch it")
	}
	if status, _ := person.do(p.page, "fetch"); status != http.StatusServiceUnavailable {
		t.Error("fetched all the same:", status)
	}
	w, o := p.wallet(), p.post("/demo/offers", map[string]string{"type": "criminal-record", "person": "salma.demo"})
	if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 1, Format: "dc+sd-jwt"}); err != nil {
		t.Fatal(err)
	}
	p.present(person, w, "wallet-other", nil)
	status, page := person.do(p.page, "collect", "text", "")
	if status != http.StatusOK || !strings.Contains(page, "EL MITAL") || !strings.Contains(page, "<bdi>Yes</bdi>") || strings.Contains(page, "B3-2026-0815") {
		t.Errorf("the copy: %d %s", status, page)
	}
	if status, _ := person.do(p.page, "use"); status != http.StatusOK || p.evidence().State != casework.EvidenceAgreed {
		t.Error(status, p.evidence().State)
	}
}

// A document of an issuer elsewhere is nobody's here, also when it has the person's name
// and day of birth: others have them too.
func TestDocumentsFromElsewhereAreNobodys(t *testing.T) {
	i := serveApp(t, nil)
	person, err := i.Accounts.ByLogin(t.Context(), "salma.demo")
	if err != nil {
		t.Fatal(err)
	}
	said := []check.Claim{{Path: []any{"family_name"}, Value: "EL MITAL"}, {Path: []any{"given_name"}, Value: "Salma"}, {Path: []any{"birth_date"}, Value: "1990-04-12"}}
	for name, place := range map[string]*statuslist.Reference{
		"without a place in a list":   nil,
		"in a list elsewhere":         {URI: "https://issuer.example/status/1", Index: 3},
		"in a list that is not there": {URI: i.base + "/status/none", Index: 0},
	} {
		mine, err := i.presents.owns(t.Context(), person.ID, check.Result{State: check.Accepted, Holder: true, Claims: said, Place: place})
		if err != nil || mine {
			t.Errorf("%s: taken for the person's: %v, %v", name, mine, err)
		}
	}
}
