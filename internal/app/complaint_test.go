package app_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// Somebody who was only ever at a counter complains from the administration's page; an
// address with an invented administration offers nothing.
func TestComplaintWithoutACase(t *testing.T) {
	a := apptest.Open(t)
	server := httptest.NewServer(a.Handler)
	defer server.Close()
	cookies := apptest.SignIn(t, server.URL, apptest.Person)
	ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		a.Handler.ServeHTTP(w, r)
		return w
	}
	id := a.Catalogue.Snapshot().Administrations[0].ID
	if page := ask(http.MethodGet, "/fr/administrations/"+id, nil); !strings.Contains(page.Body.String(), "/fr/me/complaints?office="+id) {
		t.Errorf("the page of %s leads to no complaint", id)
	}
	if page := ask(http.MethodGet, "/fr/me/complaints?office="+id, nil); !strings.Contains(page.Body.String(), `<option value="`+id+`" selected>`) {
		t.Errorf("%s is not offered: %d", id, page.Code)
	}
	if page := ask(http.MethodGet, "/fr/me/complaints?office=invented", nil); page.Code != http.StatusOK || strings.Contains(page.Body.String(), "invented") {
		t.Errorf("an invented administration: %d", page.Code)
	}
	sent := ask(http.MethodPost, "/fr/me/complaints", url.Values{"office": {id}, "words": {"Nobody was there."}})
	if sent.Code != http.StatusSeeOther {
		t.Fatalf("complaining: %d %s", sent.Code, sent.Body)
	}
	if page := ask(http.MethodGet, "/fr/me/complaints", nil); !strings.Contains(page.Body.String(), "Nobody was there.") {
		t.Error("the complaint is not among mine")
	}
}
