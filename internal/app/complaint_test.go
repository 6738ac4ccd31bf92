package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// Somebody who was only ever at a counter complains from the administration's page; an
// address with an invented administration offers nothing.
func TestComplaintWithoutACase(t *testing.T) {
	a := apptest.Open(t)
	salma := entered(t, a, apptest.Person)
	id := a.Catalogue.Snapshot().Administrations[0].ID
	if page := salma.get("/fr/administrations/" + id); !strings.Contains(page.Body.String(), "/fr/me/complaints?office="+id) {
		t.Errorf("the page of %s leads to no complaint", id)
	}
	if page := salma.get("/fr/me/complaints?office=" + id); !strings.Contains(page.Body.String(), `<option value="`+id+`" selected>`) {
		t.Errorf("%s is not offered: %d", id, page.Code)
	}
	if page := salma.get("/fr/me/complaints?office=invented"); page.Code != http.StatusOK || strings.Contains(page.Body.String(), "invented") {
		t.Errorf("an invented administration: %d", page.Code)
	}
	sent := salma.post("/fr/me/complaints", url.Values{"office": {id}, "words": {"Nobody was there."}})
	if sent.Code != http.StatusSeeOther {
		t.Fatalf("complaining: %d %s", sent.Code, sent.Body)
	}
	if page := salma.get("/fr/me/complaints"); !strings.Contains(page.Body.String(), "Nobody was there.") {
		t.Error("the complaint is not among mine")
	}
}
