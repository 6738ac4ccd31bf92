package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAsk plays the portal.
func TestAsk(t *testing.T) {
	looks := 0
	var portal *httptest.Server
	portal = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "POST" && r.Header.Get("Authorization") == "Bearer secret":
			var in map[string]string
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in["template"] != "adult" {
				t.Errorf("asked %v, %v", in, err)
			}
			_, _ = w.Write([]byte(`{"link":"openid4vp://?x","status_url":"` + portal.URL + `/status"}`))
		case r.Method == "GET":
			looks++
			_, _ = w.Write([]byte(map[bool]string{true: `{"state":"waiting","reasons":[]}`, false: `{"state":"accepted","claims":{"age":{"age_over_18":true}},"reasons":[]}`}[looks < 2]))
		default:
			http.Error(w, "no", http.StatusUnauthorized)
		}
	}))
	defer portal.Close()
	var out bytes.Buffer
	if err := ask(portal.URL, "secret", "adult", 1, &out); err != nil || !strings.Contains(out.String(), "openid4vp://?x\naccepted map[age:map[age_over_18:true]]") {
		t.Errorf("%s, %v", out.String(), err)
	}
	if err := ask(portal.URL, "wrong", "adult", 1, &out); err == nil {
		t.Error("a wrong token")
	}
}
