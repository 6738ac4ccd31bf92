package app_test

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
	"diwan/internal/identity"
)

// A mandate that ends while it is used: reading is told so, a form does nothing in
// the wrong name, and then everything goes on for oneself.
func TestMandateEndsWhileItIsUsed(t *testing.T) {
	a := apptest.Open(t)
	salma := entered(t, a, apptest.Person)
	me, err := a.Accounts.ByLogin(t.Context(), apptest.Person)
	if err != nil {
		t.Fatal(err)
	}
	list, err := a.Accounts.Mandates(t.Context(), me.ID)
	if err != nil || len(list) == 0 {
		t.Fatalf("the sample mandates: %v, %v", list, err)
	}
	m := list[0]
	act := func() {
		t.Helper()
		if w := salma.post("/en/me/representation/act", url.Values{"mandate": {m.ID}}); w.Code != http.StatusSeeOther {
			t.Fatalf("acting: %d", w.Code)
		}
	}
	act()
	if w := salma.do("GET", "/fr/me/sessions", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), m.Name["fr"]) {
		t.Errorf("the page does not say for whom one acts: %d", w.Code)
	}
	giver, err := a.Accounts.ByID(t.Context(), m.Principal)
	if err == nil {
		err = a.Accounts.EndMandate(t.Context(), giver.Actor, m.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w := salma.post("/en/me/preferences", url.Values{"language": {"fr"}, "channel": {"none"}, "rhythm": {"now"}}); w.Code != http.StatusConflict {
		t.Errorf("a form in the name of who ended it: %d", w.Code)
	}
	if w := salma.do("GET", "/en/me/sessions", nil); w.Code != http.StatusOK || strings.Contains(w.Body.String(), m.Name["fr"]) {
		t.Errorf("afterwards: %d", w.Code)
	}
	if w := salma.post("/en/me/representation/act", url.Values{"mandate": {m.ID}}); w.Code != http.StatusForbidden {
		t.Errorf("the ended mandate again: %d", w.Code)
	}
}

// An officer is sent to show a second factor and comes back to where they were.
func TestConfirmation(t *testing.T) {
	a := apptest.Open(t)
	officer := entered(t, a, apptest.Editor)
	if w := officer.post("/fr/office/security/passkeys/x/remove", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/fr/office/confirm?to=%2Foffice%2Fsecurity" {
		t.Fatalf("removing a key without a second factor: %d %s", w.Code, w.Header().Get("Location"))
	}
	for _, to := range []string{"//evil.example", "/me/", "https://evil.example/office/"} {
		w := officer.post("/fr/office/confirm/sample", url.Values{"to": {to}})
		if got := w.Header().Get("Location"); got != "/fr/office/" {
			t.Errorf("a confirmation leads to %q", got)
		}
	}
	if w := officer.post("/fr/office/security/passkeys/x/remove", nil); w.Code != http.StatusNotFound {
		t.Errorf("after the confirmation: %d", w.Code)
	}
	person := entered(t, a, apptest.Person)
	for _, path := range []string{"/en/office/security", "/en/office/sessions", "/en/office/confirm"} {
		if w := person.do("GET", path, nil); w.Code != http.StatusSeeOther {
			t.Errorf("a person at %s: %d", path, w.Code)
		}
		if w := officer.do("GET", strings.Replace(path, "office", "me", 1), nil); w.Code == http.StatusOK {
			t.Errorf("an officer in the space of people: %s", path)
		}
	}
}

func TestSignInConfiguration(t *testing.T) {
	read := func(text string) (app.Config, error) {
		name := filepath.Join(t.TempDir(), "diwan.toml")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fs := flag.NewFlagSet("test", flag.ContinueOnError)
		conf := app.Flags(fs, app.Defaults())
		if err := fs.Parse([]string{"--config", name}); err != nil {
			t.Fatal(err)
		}
		return conf()
	}
	const head = "public_url = \"https://portal.example\"\n"
	const one = "[[sign_in]]\nid = \"national\"\nissuer = \"https://id.example\"\nclient_id = \"portal\"\nname = { ar = \"x\", fr = \"y\" }\nscopes = [\"profile\"]\n"
	c, err := read(head + one + "[sign_in.claims]\nnational_id = \"nid\"\nname = { fr = \"name#fr\" }\n")
	if err != nil || len(c.SignIn) != 1 || c.SignIn[0].Claims.NationalID != "nid" || c.SignIn[0].Claims.Name["fr"] != "name#fr" || c.SignIn[0].For != identity.ForPeople {
		t.Fatalf("%+v, %v", c.SignIn, err)
	}
	for name, text := range map[string]string{
		"no public_url":     one,
		"a misspelt key":    head + one + "cliend_id = \"x\"\n",
		"a misspelt claim":  head + one + "[sign_in.claims]\nnationalid = \"x\"\n",
		"the same twice":    head + one + one,
		"plain http":        head + strings.Replace(one, "https://id", "http://id", 1),
		"no secret there":   head + one + "client_secret_file = \"/nowhere/secret\"\n",
		"not a table":       head + "sign_in = \"x\"\n",
		"for nobody":        head + one + "for = \"robots\"\n",
		"no name to read":   head + strings.Replace(one, "name =", "scopes2 =", 1),
		"a number as an id": head + strings.Replace(one, "\"national\"", "7", 1),
	} {
		if _, err := read(text); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
