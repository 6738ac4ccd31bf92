package app

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"diwan/internal/casework"
	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// misuse is a world in which people and officers do what they should not, each in one
// language of the country.
type misuse struct {
	*presentation
	lang   gov.Lang
	number string
}

// told checks that an answer says a problem in the reader's language.
func (m *misuse) told(name string, status int, body, code string, args ...string) {
	m.t.Helper()
	want := m.Site.Sentence(m.lang, problem.New(problem.Invalid, code, args...))
	if status < 400 || status >= 500 || !m.Site.Words.Has(string(m.lang), "problem."+code) || !strings.Contains(html.UnescapeString(body), want) {
		m.t.Errorf("%s, %s: %d, and not told %q", m.lang, name, status, want)
	}
}

func (m *misuse) at(path string) string { return "/" + string(m.lang) + path }

// Whatever people try, on purpose or by mistake, the page says what is wrong in their
// language, and nothing was done.
func TestMisuseIsToldInTheReadersLanguage(t *testing.T) {
	c := &turnedClock{}
	c.at.Store(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix())
	i := serveAppAt(t, c, nil)
	person, other := i.reader("salma.demo"), i.reader("youssef.demo")
	study, neighbour := i.officer("study.demo"), i.officer("neighbour.demo")
	for _, l := range i.Country.Order() {
		m := &misuse{newPresentation(t, i, c), l, ""}
		m.typed(person)
		m.withdrawn(person)
		k := m.file()
		m.number = k.Number
		before := m.events(k)

		status, body := other.get(m.at("/me/cases/" + k.Number))
		m.told("another person's number", status, body, "case.not_found")
		status, body = neighbour.get(m.at("/office/cases/" + k.Number))
		m.told("an officer of another administration", status, body, "case.not_found")
		status, body = neighbour.do(m.at("/office/cases/"+k.Number), casework.Noted, "words", "No.")
		m.told("an action from another administration", status, body, "case.not_found")
		status, body = study.do(m.at("/office/cases/"+k.Number), casework.Paid, "words", "x")
		m.told("an edited action", status, body, "case.action_unknown", "action", casework.Paid)
		status, body = study.do(m.at("/office/cases/"+k.Number), string(clock.DoubtRaised), "words", "?", "item", "passport")
		m.told("an edited document", status, body, "case.document_unknown", "document", "passport")
		status, body = study.do(m.at("/office/cases/"+k.Number), casework.Prepared, "words", "x", "ground", "granted", "version", fmt.Sprint(k.Version+5))
		m.told("on what somebody else has changed", status, body, "case.changed", "number", k.Number)
		if got := m.events(k); got != before {
			t.Errorf("%s: %d events were written", l, got-before)
		}
		// The same form sent a second time leads to the case that it became.
		res, err := person.PostForm(m.base+m.at("/me/drafts/"+m.draft.ID+"/check"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, body := person.read(res, nil); res.StatusCode != http.StatusOK || !strings.HasSuffix(res.Request.URL.Path, "/me/cases/"+k.Number) || !strings.Contains(body, k.Number) {
			t.Errorf("%s: sent again: %d at %s", l, res.StatusCode, res.Request.URL)
		}
		c.turn(2 * time.Minute)
	}
}

func (m *misuse) events(k *casework.Case) int64 {
	m.t.Helper()
	c, err := m.Casework.Find(m.t.Context(), m.filer, k.Number)
	if err != nil {
		m.t.Fatal(err)
	}
	return c.Events
}

// typed fills in names and files that are not what they should be.
func (m *misuse) typed(b *reader) {
	m.t.Helper()
	draft := m.at("/me/drafts/" + m.draft.ID)
	post := func(page string, v url.Values) (int, string) {
		m.t.Helper()
		return b.read(b.PostForm(b.base+draft+"/pages/"+page, v))
	}
	if status, _ := post("applicant-kind", url.Values{"applicant.kind": {"person"}}); status != http.StatusOK {
		m.t.Fatal(status)
	}
	status, body := post("person", url.Values{"applicant.person.given": {strings.Repeat("a", 10<<20)}})
	m.told("ten megabytes in a name", status, body, "answer.long", "max", "120")
	if len(body) > 200<<10 {
		m.t.Errorf("the page gives back %d bytes", len(body))
	}
	_, _ = post("person", url.Values{"applicant.person.given": {"Sal\u202ema"}, "applicant.person.family": {"\u2067Evil"}})
	if _, body := b.get(draft + "/pages/person"); !strings.Contains(body, "Salma") || strings.ContainsAny(body, "\u202e\u2067") {
		m.t.Error("a name turns the page around it")
	}
	_, err := m.caseFiles.Receive(m.t.Context(), &m.draft, "plan.pdf", strings.NewReader("MZ\x90\x00 not a plan"))
	if err == nil {
		m.t.Fatal("a program passes for a plan")
	}
	p := problem.From(err)
	status, body = b.send(draft+"/pages/plans", "plans", "plan.pdf", []byte("MZ\x90\x00 not a plan"), "form-upload", "plans")
	var args []string
	for k, v := range p.Args {
		args = append(args, k, v)
	}
	m.told("a program named as a plan", status, body, p.Code, args...)
}

// withdrawn takes a consent back between asking and using.
func (m *misuse) withdrawn(b *reader) {
	m.t.Helper()
	if status, _ := b.do(m.page, "wallet-other"); status != http.StatusOK {
		m.t.Fatal(status)
	}
	if status, body := b.read(b.PostForm(b.base+m.at("/me/consents/"+m.evidence().ID), nil)); status != http.StatusOK {
		m.t.Fatal(status, body)
	}
	status, body := b.do(strings.Replace(m.page, "/en/", "/"+string(m.lang)+"/", 1), "use")
	m.told("a consent that was taken back", status, body, "evidence.changed")
}
