package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// head lets programs of the commune in.
var head = gov.Actor{ID: "head", Administration: "commune", Roles: []gov.Role{gov.RoleSupervise}}

// program is a token with the interface around it.
type program struct {
	*world
	mux    *http.ServeMux
	secret string
}

func (w *world) program(scopes ...string) *program {
	w.Helper()
	w.Options.Procedures = onePermit{}
	secret, _, err := w.MakeToken(w.Context(), head, Token{Name: "software", Scopes: scopes})
	if err != nil {
		w.Fatal(err)
	}
	words, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, []fs.FS{fstest.MapFS{"ar.json": {Data: []byte(`{"problem.internal":"x"}`)}, "fr.json": {Data: []byte(`{"problem.internal":"x"}`)},
		"zgh.json": {Data: []byte(`{"problem.internal":"x"}`)}, "en.json": {Data: []byte(`{"problem.internal":"x"}`)}}})
	if err != nil {
		w.Fatal(err)
	}
	p := &program{w, http.NewServeMux(), secret}
	(&Programs{w.Casework, &web.Site{Country: w.Country, Words: words, Clock: w.hand, Log: w.Options.Log}}).Register(p.mux)
	return p
}

// ask sends something and returns the status, the code of a problem, and the body.
func (p *program) ask(method, path, body string) (int, string, map[string]any) {
	p.Helper()
	r := httptest.NewRequest(method, "/api/v1/cases"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.secret)
	rec := httptest.NewRecorder()
	p.mux.ServeHTTP(rec, r)
	var out map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		p.Fatalf("%s %s: %d %s: %v", method, path, rec.Code, rec.Body, err)
	}
	code, _ := out["code"].(string)
	return rec.Code, code, out
}

func incoming(own, more string) string {
	return `{"own_reference":"` + own + `","procedure":"permit","person":{"own":"A-17"},"applicant":{"fr":"Salma"},"lang":"fr","answers":{"floors":2}` + more + `}`
}

func TestProgramWorksOnCases(t *testing.T) {
	each(t, func(w *world) {
		p := w.program(ScopeRead, ScopeFile, ScopeAct)
		status, _, c := p.ask("POST", "", incoming("7", ""))
		if status != http.StatusCreated || c["state"] != "running" || c["due"] != "2026-04-02" {
			t.Fatal(status, c)
		}
		number := c["number"].(string)
		if status, _, again := p.ask("POST", "", incoming("7", "")); status != http.StatusOK || again["number"] != number {
			t.Error(status, again)
		}
		if status, code, _ := p.ask("POST", "", incoming("7", `,"missing":["plans"]`)); status != http.StatusConflict || code != "program.own_other" {
			t.Error(status, code)
		}
		for _, depth := range []int{2000, 200_000} {
			bomb := `{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
			if status, code, _ := p.ask("POST", "", strings.Replace(incoming("8", ""), `{"floors":2}`, bomb, 1)); status != http.StatusBadRequest {
				t.Error("answers nested", depth, "deep:", status, code)
			}
		}
		w.file(func(f *Filing) { f.Administration = "elsewhere" })
		_, _, list := p.ask("GET", "?state=running&page_size=1", "")
		if items := list["items"].([]any); len(items) != 1 || items[0].(map[string]any)["number"] != number {
			t.Error(list)
		}
		if status, _, c = p.ask("POST", "/"+number+"/actions", `{"type":"information_requested","text":"Which street?"}`); status != http.StatusOK || c["state"] != "suspended" {
			t.Error(status, c)
		}
		if status, code, _ := p.ask("POST", "/"+number+"/actions", `{"type":"information_requested","text":"And which town?"}`); status != http.StatusConflict || code != "clock.information.second" {
			t.Error(status, code)
		}
		if status, code, _ := p.ask("POST", "/"+number+"/actions", `{"type":"granted"}`); status != http.StatusForbidden || code != "program.scope" {
			t.Error(status, code)
		}
		_, _, whole := p.ask("GET", "/"+number, "")
		journal := whole["journal"].([]any)
		if len(journal) != 2 || journal[1].(map[string]any)["text"] != "Which street?" || whole["answers"].(map[string]any)["floors"] != 2.0 {
			t.Error(whole)
		}
		if actor := journal[1].(map[string]any)["actor"].(string); !strings.HasPrefix(actor, "token:") {
			t.Error("the journal names", actor)
		}
	})
}

func TestProgramsAreKeptOut(t *testing.T) {
	each(t, func(w *world) {
		if _, _, err := w.MakeToken(t.Context(), gov.Actor{ID: "nobody"}, Token{Name: "x", Scopes: []string{ScopeRead}}); codeOf(err) != "forbidden" {
			t.Error(err)
		}
		for want, tok := range map[string]Token{
			"program.token_name":   {Scopes: []string{ScopeRead}},
			"program.token_scopes": {Name: "x", Scopes: []string{"all"}},
			"program.token_until":  {Name: "x", Scopes: []string{ScopeRead}, Until: w.today().AddDays(-1)},
		} {
			if _, _, err := w.MakeToken(t.Context(), head, tok); codeOf(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		c := w.file()
		theirs := w.file(func(f *Filing) { f.Administration = "elsewhere" })
		p := w.program(ScopeRead)
		for _, x := range []struct {
			method, path, body string
			status             int
			code               string
		}{
			{"GET", "/" + c.Number, "", 200, ""},
			{"GET", "/" + theirs.Number, "", 404, "case.not_found"},
			{"GET", "/2026-AAAA-AAAA-AAAA", "", 404, "case.not_found"},
			{"GET", "?page_size=0", "", 400, "case.filter"},
			{"GET", "?page_token=x", "", 400, "page_token"},
			{"POST", "", incoming("1", ""), 403, "program.scope"},
			{"POST", "/" + c.Number + "/actions", `{"type":"noted","text":"x"}`, 403, "program.scope"},
			{"POST", "/" + c.Number + "/actions", `{"type":`, 400, "program.json"},
			{"POST", "/" + c.Number + "/actions", `{"type":"noted","actor":"signer"}`, 400, "program.json"},
			{"POST", "/" + c.Number + "/actions", `{"type":"` + strings.Repeat("a", 2<<20) + `"}`, 413, "program.too_large"},
		} {
			if status, code, _ := p.ask(x.method, x.path, x.body); status != x.status || code != x.code {
				t.Errorf("%s %.40s %.40s: %d %s, want %d %s", x.method, x.path, x.body, status, code, x.status, x.code)
			}
		}
		good := p.secret
		for _, secret := range []string{"", "diwan_", good + "x", strings.ToUpper(good)} {
			p.secret = secret
			if status, code, _ := p.ask("GET", "", ""); status != http.StatusUnauthorized || code != "program.token" {
				t.Errorf("%q: %d %s", secret, status, code)
			}
		}
		p.secret = good
		tokens, err := w.Tokens(t.Context(), head)
		if err != nil || len(tokens) != 1 || tokens[0].Used != w.today() {
			t.Fatal(tokens, err)
		}
		var kept string
		if err := w.DB.Reader().QueryRow(`SELECT hash FROM casework_token`).Scan(&kept); err != nil || strings.Contains(kept, good) || len(kept) != 64 {
			t.Error("what is kept of a token:", kept, err)
		}
		w.hand.days(400)
		if status, _, _ := p.ask("GET", "", ""); status != http.StatusUnauthorized {
			t.Error("a token that ran out:", status)
		}
		w.hand.days(-400)
		if err := w.RevokeToken(t.Context(), other, tokens[0].ID); !problem.Is(err, problem.NotFound) {
			t.Error("revoked by another administration:", err)
		}
		if err := w.RevokeToken(t.Context(), head, tokens[0].ID); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := p.ask("GET", "", ""); status != http.StatusUnauthorized {
			t.Error("a revoked token:", status)
		}
	})
}

func TestTwoProgramsPrepareAndSign(t *testing.T) {
	each(t, func(w *world) {
		one := w.program(ScopeAct, ScopeDecide)
		c := w.file(func(f *Filing) { f.Terms.TwoSign = true })
		if status, _, _ := one.ask("POST", "/"+c.Number+"/actions", `{"type":"decision_prepared","ground":"granted","text":"In order."}`); status != 200 {
			t.Fatal(status)
		}
		if status, code, _ := one.ask("POST", "/"+c.Number+"/actions", `{"type":"granted"}`); status != 403 || code != "case.prepared_by_you" {
			t.Error(status, code)
		}
		if status, code, _ := w.program(ScopeDecide).ask("POST", "/"+c.Number+"/actions", `{"type":"granted"}`); status != 200 {
			t.Error(status, code)
		}
	})
}

func TestCaseUnderWayIsTakenOver(t *testing.T) {
	each(t, func(w *world) {
		p := w.program(ScopeRead, ScopeImport)
		events := `,"events":[{"on":"2026-02-02","type":"filed"},{"on":"2026-02-10","type":"information_requested","text":"Which street?"},{"on":"2026-02-20","type":"information_received"}]`
		status, code, c := p.ask("POST", "/import", incoming("old-1", events))
		if status != http.StatusCreated || c["state"] != "running" || c["due"] != "2026-03-16" || c["filed"] != "2026-02-02" {
			t.Fatal(status, code, c)
		}
		if status, _, again := p.ask("POST", "/import", incoming("old-1", events)); status != http.StatusOK || again["number"] != c["number"] {
			t.Error(status, again)
		}
		got, err := w.Find(t.Context(), head, c["number"].(string))
		if err != nil {
			t.Fatal(err)
		}
		if journal, err := w.Journal(t.Context(), got); err != nil || len(journal) != 3 || journal[1].Text != "Which street?" {
			t.Error(journal, err)
		}
		w.refused(studies, got, Action{Type: string(clock.InformationRequested), Text: "And now?"}, "clock.information.second")
		// What silence brought about before the case came here.
		status, _, c = p.ask("POST", "/import", incoming("old-2", `,"events":[{"on":"2026-01-02","type":"filed","complete":true}]`))
		if status != http.StatusCreated || c["state"] != "approved_by_silence" {
			t.Error(status, c)
		}
		for own, x := range map[string]struct{ events, code, field string }{
			"a": {`[]`, "program.events", ""},
			"b": {`[{"on":"2026-02-02","type":"granted"}]`, "program.events", ""},
			"c": {`[{"on":"2026-02-02","type":"filed"},{"on":"2026-05-02","type":"granted"}]`, "case.future", "events.1"},
			"d": {`[{"on":"2026-02-02","type":"filed"},{"on":"2026-02-03","type":"refused"}]`, "case.reasons_missing", "events.1"},
			"e": {`[{"on":"2026-02-02","type":"filed"},{"on":"2026-02-03","type":"granted"},{"on":"2026-02-04","type":"refused","text":"No."}]`, "clock.decision.already", "events.2"},
			"f": {`[{"on":"2026-02-02","type":"filed"},{"on":"2026-02-03","type":"paid"}]`, "case.action_unknown", "events.1"},
			"g": {`[{"on":"2026-02-02","type":"filed"},{"on":"2026-02-03","type":"defect_notified","items":["passport"],"text":"?"}]`, "case.document_unknown", "events.1"},
		} {
			status, code, out := p.ask("POST", "/import", incoming(own, `,"events":`+x.events))
			field := ""
			if list, ok := out["errors"].([]any); ok && len(list) > 0 {
				field = list[0].(map[string]any)["path"].(string)
			}
			if status < 400 || code != x.code || field != x.field {
				t.Errorf("%s: %d %s at %q, want %s at %q", own, status, code, field, x.code, x.field)
			}
		}
		var n int
		if err := w.DB.Reader().QueryRow(`SELECT COUNT(*) FROM casework_case`).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d cases, %v: one that was refused left something", n, err)
		}
	})
}

// Each event goes at least once, those of a case in their order, and what can't be
// taken is given up and can be tried again.
func TestEventsGoOut(t *testing.T) {
	each(t, func(w *world) {
		check := func(a string) error {
			if !strings.HasPrefix(a, "https://") {
				return errors.New("no")
			}
			return nil
		}
		if err := w.MakeHook(t.Context(), head, "http://x", "s", check); codeOf(err) != "program.hook_address" {
			t.Error(err)
		}
		before := w.file()
		if err := w.MakeHook(t.Context(), head, "https://x.example", "s", check); err != nil {
			t.Fatal(err)
		}
		c := w.file()
		w.act(studies, c, Action{Type: Noted, Text: "secret words"})
		w.act(signer, c, Action{Type: string(clock.Refused), Text: "No."})
		w.act(studies, before, Action{Type: Noted, Text: "x"})
		w.file(func(f *Filing) { f.Administration = "elsewhere" })
		var taken []string
		broken := true
		send := func(_ context.Context, address, secret, id string, _ time.Time, body []byte) error {
			var e struct {
				SpecVersion, ID, Source, Type, Subject, Time string
				Data                                         map[string]any
			}
			if err := json.Unmarshal(body, &e); err != nil || e.SpecVersion != "1.0" || e.ID != id || e.Source != "https://portal.example" || e.Subject == "" || secret != "s" || address != "https://x.example" {
				t.Errorf("%s %v", body, err)
			}
			if strings.Contains(string(body), "secret words") || strings.Contains(string(body), salma.ID) || len(e.Data) != 3 {
				t.Errorf("the event tells too much: %s", body)
			}
			if broken && strings.HasSuffix(id, "/2") && e.Subject == c.Number {
				return errors.New("not now")
			}
			taken = append(taken, e.Type+" "+id)
			return nil
		}
		run := func() {
			t.Helper()
			if err := w.SendEvents(t.Context(), "https://portal.example", send); err != nil {
				t.Fatal(err)
			}
			slices.Sort(taken)
		}
		run()
		want := []string{"diwan.case.filed " + c.Number + "/1", "diwan.case.noted " + before.Number + "/2"}
		if !slices.Equal(taken, want) {
			t.Errorf("taken %v, want %v", taken, want)
		}
		taken = nil
		run() // too early for another try
		if len(taken) != 0 {
			t.Error("taken", taken)
		}
		broken = false
		w.hand.days(1)
		if err := w.SendEvents(t.Context(), "https://portal.example", send); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(taken) != "[diwan.case.noted "+c.Number+"/2 diwan.case.refused "+c.Number+"/3]" {
			t.Error("taken", taken)
		}
		broken, taken = true, nil
		c = w.file()
		w.act(studies, c, Action{Type: Noted, Text: "x"})
		for range outTries {
			run()
			w.hand.days(1)
		}
		hooks, err := w.Hooks(t.Context(), head)
		if err != nil || len(hooks) != 1 || hooks[0].Dead != 1 || hooks[0].Waiting != 0 {
			t.Fatalf("%+v %v", hooks, err)
		}
		broken, taken = false, nil
		if err := w.RetryHook(t.Context(), head, hooks[0].ID); err != nil {
			t.Fatal(err)
		}
		run()
		if len(taken) != 1 {
			t.Error("taken", taken)
		}
		w.file()
		if err := w.SendEvents(t.Context(), "x", func(context.Context, string, string, string, time.Time, []byte) error { return ErrHookGone }); err != nil {
			t.Fatal(err)
		}
		if hooks, err = w.Hooks(t.Context(), head); err != nil || len(hooks) != 0 {
			t.Error(hooks, err)
		}
	})
}
