//go:build !race

package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
)

// An appeal by the pages: lodged by the person, heard by somebody else than who
// decided, and followed by a changed decision and the document that it makes.
func TestAppealByPages(t *testing.T) {
	a := apptest.Open(t)
	c := apptest.CaseDesk(t, a)
	salma, signs, hears := signedIn(t, a, apptest.Person), signedIn(t, a, apptest.Signs), signedIn(t, a, apptest.Hears)
	studies, neighbour := signedIn(t, a, apptest.Studies), signedIn(t, a, apptest.Neighbour)

	contested := "/en/me/cases/" + c.Refused
	salma.sees(contested, "outside the zone")
	if w := salma.post(contested, url.Values{"do": {"appealed"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an appeal without grounds: %d", w.Code)
	}
	if w := salma.post(contested, url.Values{"do": {"appealed"}, "words": {"The zone was changed."}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("an appeal that another site sends: %d", w.Code)
	}
	at := salma.moves(contested, `^/en/me/cases/[0-9A-Z-]+\?filed=1$`, url.Values{"do": {"appealed"}, "words": {"The zone was changed."}})
	number := strings.TrimSuffix(strings.TrimPrefix(at, "/en/me/cases/"), "?filed=1")
	if number == c.Refused {
		t.Fatal("the appeal lies in the contested case")
	}
	salma.sees(at, c.Refused, "The zone was changed.", "Receipt of the appeal")
	salma.sees(contested, number)
	if w := salma.post(contested, url.Values{"do": {"appealed"}, "words": {"Again."}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a second appeal: %d", w.Code)
	}
	if w := salma.do(http.MethodGet, "/en/me/papers/receipt/"+number+".pdf", nil); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "%PDF-") {
		t.Errorf("the receipt of an appeal: %d", w.Code)
	}

	desk := "/en/office/cases/" + number
	if w := neighbour.do(http.MethodGet, desk, nil); w.Code != http.StatusNotFound {
		t.Errorf("an appeal at another commune: %d", w.Code)
	}
	if body := signs.sees(desk, "Who had a hand"); strings.Contains(body, `value="granted"`) {
		t.Error("who refused is offered to hear the appeal")
	}
	if w := signs.post(desk, url.Values{"do": {"granted"}}); w.Code != http.StatusForbidden && w.Code != http.StatusUnprocessableEntity {
		t.Errorf("who refused hears the appeal: %d", w.Code)
	}
	hears.sees("/en/office/cases", number)
	hears.sees(desk, `value="granted"`, `value="refused"`)
	hears.moves(desk, `saved=1`, url.Values{"do": {"granted"}, "words": {"The map of January holds."}})
	salma.sees("/en/me/cases/"+number, "The map of January holds.", "The appeal was granted")
	if w := salma.do(http.MethodGet, "/en/me/papers/decision/"+number+".pdf", nil); w.Code != http.StatusOK {
		t.Errorf("the decision on an appeal: %d", w.Code)
	}
	salma.sees(contested, "has to change its decision")
	if made := documents(t, a, c.Refused); made != 0 {
		t.Errorf("%d documents before the decision was changed", made)
	}
	first := "/en/office/cases/" + c.Refused
	studies.sees(first, number, "has to change its decision", "To be changed after a granted appeal", "decide anew")
	rows := strings.Split(studies.sees("/en/office/cases", "After a granted appeal <bdi>1</bdi>", "risk"), `<tr class="row-bad">`)
	if len(rows) < 2 || !strings.Contains(rows[1], c.Refused) || !strings.Contains(rows[1], "To be changed after a granted appeal") {
		t.Error("what is to be changed is not the first row of the inbox")
	}
	if one := studies.sees("/en/office/cases?view=to_change", c.Refused); strings.Count(one, `type="checkbox"`) != 1 {
		t.Error("the filter lists others too")
	}
	studies.moves(first, `saved=1`, url.Values{"do": {"decision_prepared"}, "ground": {"granted"}})
	signs.moves(first, `saved=1`, url.Values{"do": {"granted"}, "words": {"After the appeal."}})
	salma.sees(contested, "After the appeal.")
	if made := documents(t, a, c.Refused); made == 0 {
		t.Error("the changed decision made no document")
	}
}

// The certificate of a commune's silence by the pages: time escalates, the
// prefecture writes, the commune answers, the prefecture certifies, the person reads
// it, and whoever holds the receipt finds it.
func TestCertificateByPages(t *testing.T) {
	a := apptest.Open(t)
	c := apptest.CaseDesk(t, a)
	salma := signedIn(t, a, apptest.Person)
	mine := "/en/me/cases/" + c.Silent
	salma.moves(mine, c.Silent, url.Values{"do": {"delivery_requested"}})
	if w := salma.do(http.MethodPost, "/demo/clock", strings.NewReader(`{"advance":"288h"}`)); w.Code != http.StatusOK {
		t.Fatalf("the clock: %d", w.Code)
	}
	if _, err := a.Casework.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	salma = signedIn(t, a, apptest.Person) // a session does not last so long
	governor, signs, neighbour := signedIn(t, a, apptest.Governs), signedIn(t, a, apptest.Signs), signedIn(t, a, apptest.Neighbour)
	governor.sees("/en/office/cases", "/en/office/above")
	governor.sees("/en/office/above", c.Silent, "Write to the office")
	desk := "/en/office/above/" + c.Silent
	governor.sees(desk, "No answer: silence is approval", "Delivery was asked for")
	for _, k := range []*asker{signs, neighbour} {
		if w := k.do(http.MethodGet, desk, nil); w.Code != http.StatusNotFound {
			t.Errorf("the desk of another: %d", w.Code)
		}
		if w := k.post(desk, url.Values{"do": {"certified"}, "words": {"We certify ourselves."}}); w.Code < 400 {
			t.Errorf("a certificate by another: %d", w.Code)
		}
	}
	if w := governor.post(desk, url.Values{"do": {"granted"}, "words": {"In their place."}}); w.Code < 400 {
		t.Errorf("a decision in the commune's place: %d", w.Code)
	}
	if w := governor.post(desk, url.Values{"do": {"above_wrote"}, "words": {"Why?"}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("a letter that another site sends: %d", w.Code)
	}
	if w := governor.post(desk, url.Values{"do": {"certified"}, "words": {"At once."}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a certificate before the letter: %d", w.Code)
	}
	governor.moves(desk, "saved=1", url.Values{"do": {"above_wrote"}, "words": {"Why was nothing answered?"}})
	at := "/en/office/cases/" + c.Silent
	signs.sees(at, "Answer the authority above")
	signs.moves(at, "saved=1", url.Values{"do": {"below_explained"}, "words": {"The architect was away."}})
	governor.sees(desk, "The architect was away.")
	governor.moves(desk, "saved=1", url.Values{"do": {"certified"}, "words": {"The file was complete."}})
	governor.sees("/en/office/above?view=done", c.Silent)
	salma.sees(mine, "Certificate of the authority above", "The file was complete.")
	for _, k := range []struct {
		*asker
		root string
	}{{salma, "/me"}, {governor, "/office"}} {
		if w := k.do(http.MethodGet, "/en"+k.root+"/papers/certificate/"+c.Silent+".pdf", nil); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "%PDF-") {
			t.Errorf("the certificate at %s: %d", k.root, w.Code)
		}
	}
	anybody(t, a).sees("/en/receipts/"+c.Silent, "Certificate that silence means approval")
}

// documents counts those that a decision made.
func documents(t *testing.T, a *app.App, number string) int {
	t.Helper()
	if _, err := a.Credentials.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := a.Credentials.Of(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
