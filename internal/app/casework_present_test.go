package app

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"diwan/internal/casework"
	"diwan/internal/credential"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/wallet/holder"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vp"
)

// turnedClock goes forward when it is told to.
type turnedClock struct{ at atomic.Int64 }

func (c *turnedClock) Now() time.Time { return time.Unix(c.at.Load(), 0).UTC() }

func (c *turnedClock) turn(d time.Duration) { c.at.Add(int64(d / time.Second)) }

// reader is somebody's browser.
type reader struct {
	t    testing.TB
	base string
	*http.Client
}

func (i *installation) reader(login string) *reader { return i.signedIn("me", login) }

func (i *installation) officer(login string) *reader { return i.signedIn("office", login) }

func (i *installation) signedIn(space, login string) *reader {
	i.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		i.t.Fatal(err)
	}
	b := &reader{i.t, i.base, &http.Client{Jar: jar}}
	res, err := b.PostForm(i.base+"/en/"+space+"/sign-in", url.Values{"login": {login}})
	if err != nil {
		i.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || strings.Contains(res.Request.URL.Path, "sign-in") {
		i.t.Fatalf("signing in as %s: %s at %s", login, res.Status, res.Request.URL)
	}
	return b
}

func (b *reader) read(res *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (b *reader) get(path string) (int, string) { return b.read(b.Get(b.base + path)) }

func (b *reader) do(path, what string, more ...string) (int, string) {
	form := url.Values{"do": {what}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.read(b.PostForm(b.base+path, form))
}

// presentation is a draft whose evidence is to be presented.
type presentation struct {
	*installation
	clock  *turnedClock
	person casework.Subject
	filer  gov.Actor
	office string
	draft  casework.Draft
	page   string
}

const (
	presentedProcedure = "building-permit"
	presentedDocument  = "property"
	presentedType      = "property-certificate"
)

func newPresentation(t testing.TB, i *installation, c *turnedClock) *presentation {
	t.Helper()
	c.turn(time.Minute) // one address may send only so much within one
	person, err := i.Accounts.ByLogin(t.Context(), "salma.demo")
	if err != nil {
		t.Fatal(err)
	}
	officer, err := i.Accounts.ByLogin(t.Context(), "study.demo")
	if err != nil {
		t.Fatal(err)
	}
	f, err := i.Casework.Form(t.Context(), presentedProcedure, "")
	if err != nil {
		t.Fatal(err)
	}
	p := &presentation{installation: &installation{i.App, i.base, t}, clock: c, filer: person.Actor, office: officer.Administration, person: casework.Subject{ID: person.ID, Name: person.Name}}
	p.draft, err = i.Casework.Begin(t.Context(), casework.Draft{Person: person.ID, Filer: person.ID, Administration: p.office, Procedure: presentedProcedure, Form: f.Doc().Version,
		Answers: []byte(`{"land": {"registered": true}, "property": {"route": "fetch"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	p.page = "/en/me/drafts/" + p.draft.ID + "/evidence/" + presentedDocument
	return p
}

// holds gives a wallet with the document of somebody, in one format.
func (p *presentation) holds(login, format string) (*holder.Wallet, string) {
	p.t.Helper()
	w, o := p.wallet(), p.post("/demo/offers", map[string]string{"type": presentedType, "person": login})
	got, err := w.Receive(p.t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 3, Format: format})
	if err != nil || len(got) != 1 {
		p.t.Fatal(len(got), err)
	}
	return w, o["document"]
}

func (p *presentation) evidence() *casework.Evidence {
	p.t.Helper()
	all, err := p.Casework.EvidenceOf(p.t.Context(), p.draft.ID)
	if err != nil || len(all) != 1 {
		p.t.Fatal(len(all), err)
	}
	return all[0]
}

// link is what the code on the page says, or the link for the same device.
func (p *presentation) link(page string) string {
	p.t.Helper()
	if m := regexp.MustCompile(`href="/wallet/\?([^"]+)"`).FindStringSubmatch(page); m != nil {
		return vp.Scheme + "?" + html.UnescapeString(m[1])
	}
	if !strings.Contains(page, "<figure><svg") {
		p.t.Fatal("the page has neither a link nor a code")
	}
	id, client := p.evidence().Request, ""
	if err := p.DB.Reader().QueryRowContext(p.t.Context(), `SELECT client_id FROM verifier_request WHERE id = $1`, id).Scan(&client); err != nil {
		p.t.Fatal(err)
	}
	return vp.Scheme + "?" + url.Values{"client_id": {client}, "request_uri": {p.base + "/present/" + id}}.Encode()
}

// present asks a wallet on the page and has it answer; between may change the world after
// the wallet has made up its mind. It returns where the wallet leads.
func (p *presentation) present(b *reader, w *holder.Wallet, how string, between func()) string {
	p.t.Helper()
	status, page := b.do(p.page, how)
	if status != http.StatusOK {
		p.t.Fatalf("asking: %d %s", status, page)
	}
	q, err := w.Ask(p.t.Context(), p.link(page))
	if err != nil {
		p.t.Fatal(err)
	}
	if !q.Vouched {
		p.t.Error("nobody vouches for the administration that asks")
	}
	plan, err := w.Plan(p.t.Context(), q, holder.PresentOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	if between != nil {
		between()
	}
	r, err := w.Present(p.t.Context(), plan)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.RedirectURI
}

// A document in the person's wallet stands in for one that would be fetched, in both
// formats and both ways, on both engines.
func TestPresentInsteadOfFetching(t *testing.T) {
	run := func(t *testing.T, database string) {
		c := &turnedClock{}
		c.at.Store(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix())
		i := serveAppAt(t, c, func(conf *Config) {
			if database != "" {
				conf.Database = database
			}
		})
		for _, format := range []string{openid4.SDJWT, openid4.MDoc} {
			t.Run(format, func(t *testing.T) {
				t.Run("on another device", func(t *testing.T) { newPresentation(t, i, c).accepted(format, "wallet-other") })
				t.Run("here", func(t *testing.T) { newPresentation(t, i, c).accepted(format, "wallet-here") })
				t.Run("of somebody else", func(t *testing.T) { newPresentation(t, i, c).foreign(format) })
				t.Run("revoked", func(t *testing.T) { newPresentation(t, i, c).revoked(format) })
				t.Run("expired", func(t *testing.T) { newPresentation(t, i, c).expired(format) })
			})
		}
		t.Run("declined", func(t *testing.T) { newPresentation(t, i, c).declined() })
		t.Run("in another session", func(t *testing.T) { newPresentation(t, i, c).elsewhere() })
		t.Run("nothing but the procedure's fields", func(t *testing.T) { newPresentation(t, i, c).narrow() })
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "") })
	t.Run("postgres", func(t *testing.T) { run(t, dbtest.Postgres(t, nil).URL()) })
}

func (p *presentation) accepted(format, how string) {
	t, b := p.t, p.reader("salma.demo")
	w, _ := p.holds("salma.demo", format)
	if _, page := b.get(p.page); !strings.Contains(page, `value="wallet-here"`) || !strings.Contains(page, `value="wallet-other"`) || !strings.Contains(page, `value="fetch"`) {
		t.Fatal("the page does not offer the wallet beside fetching")
	}
	back := p.present(b, w, how, nil)
	_, state := b.get(p.page + "/state")
	code := ""
	if how == "wallet-here" {
		u, err := url.Parse(back)
		if err != nil || u.Path != p.page+"/back" || u.Fragment == "" {
			t.Fatal(back, err)
		}
		if !strings.Contains(state, casework.PresentWaits) {
			t.Errorf("the page tells of an answer that only the code may open: %s", state)
		}
		if status, _ := b.do(p.page, "collect", "text", "response_code=AAAA"); status != http.StatusForbidden {
			t.Errorf("with a code that is made up: %d", status)
		}
		if status, page := b.get(p.page + "/back"); status != http.StatusOK || !strings.Contains(page, "data-hash") {
			t.Errorf("the page of return: %d", status)
		}
		code = u.Fragment
	} else if !strings.Contains(state, casework.PresentAnswered) {
		t.Errorf("the page does not tell that the answer came: %s", state)
	}
	status, page := b.do(p.page, "collect", "text", code)
	if status != http.StatusOK || !strings.Contains(page, `value="use"`) || !strings.Contains(page, "12345/06") {
		t.Fatalf("the copy: %d %s", status, page)
	}
	e := p.evidence()
	if e.State != casework.EvidenceFetched || e.Via != casework.ViaWallet || e.Copy.Proof == nil || e.Copy.Proof.Format != format || e.Issuer == "" || len(e.Copy.Values) != len(e.Fields) {
		t.Fatalf("kept: %+v", e)
	}
	// Before the person agrees it is nothing that a case could rest on.
	if c := p.file(); len(p.steps(c, casework.ShownByWallet)) != 0 {
		t.Error("the document was used before the person agreed")
	}
	q := newPresentation(t, p.installation, p.clock)
	back = q.present(b, w, how, nil)
	if _, after, ok := strings.Cut(back, "#"); ok {
		code = after
	}
	b.do(q.page, "collect", "text", code)
	if status, _ := b.do(q.page, "use"); status != http.StatusOK || q.evidence().State != casework.EvidenceAgreed {
		t.Fatal(status, q.evidence().State)
	}
	made := q.steps(q.file(), casework.ShownByWallet)
	if len(made) != 1 {
		t.Fatalf("%d entries in the journal", len(made))
	}
	at, err := time.Parse(time.RFC3339, made[0].Clear.Shown)
	x := made[0].Clear
	if err != nil || x.Source != casework.ViaWallet || x.Issuer != e.Issuer || x.Standing != "valid" || !at.Equal(p.clock.Now()) || !slices.Equal(x.Items, []string{presentedDocument}) {
		t.Errorf("the journal: %+v, %v", x, err)
	}
}

func (p *presentation) file() *casework.Case {
	p.t.Helper()
	terms, err := p.Casework.Procedures.Terms(p.t.Context(), presentedProcedure)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := p.Casework.File(p.t.Context(), casework.Filing{Draft: p.draft.ID, Administration: p.office, Person: p.person.ID, By: p.filer, Channel: casework.Online, Lang: "fr",
		Applicant: p.person.Name, Terms: terms, Answers: []byte(`{}`), Fetching: []string{presentedDocument}})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *presentation) steps(c *casework.Case, kind string) []casework.Event {
	p.t.Helper()
	all, err := p.Casework.Journal(p.t.Context(), c)
	if err != nil {
		p.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e casework.Event) bool { return e.Type != kind })
}

// refused collects an answer and finds it refused for a reason, with nothing of it kept.
func (p *presentation) refused(b *reader, reason, words string) {
	p.t.Helper()
	status, page := b.do(p.page, "collect")
	if status != http.StatusOK || !strings.Contains(page, words) || strings.Contains(page, `value="use"`) {
		p.t.Errorf("%s: %d %s", reason, status, page)
	}
	if e := p.evidence(); e.State != casework.EvidenceRefused || e.Failure != "evidence.wallet."+reason || len(e.Copy.Values) != 0 {
		p.t.Errorf("%s: %+v", reason, e)
	}
	if status, _ := b.do(p.page, "use"); status != http.StatusConflict || p.evidence().State != casework.EvidenceRefused {
		p.t.Errorf("%s: it can be used all the same: %d", reason, status)
	}
}

func (p *presentation) foreign(format string) {
	b := p.reader("salma.demo")
	w, _ := p.holds("study.demo", format)
	p.present(b, w, "wallet-other", nil)
	var n int
	if err := p.DB.Reader().QueryRowContext(p.t.Context(), `SELECT LENGTH(sealed_result) FROM verifier_request WHERE id = $1`, p.evidence().Request).Scan(&n); err != nil || n > 64 {
		p.t.Errorf("%d bytes are kept of what was shown of somebody else, %v", n, err)
	}
	p.refused(b, "other_holder", "It is about somebody else")
}

func (p *presentation) revoked(format string) {
	b := p.reader("salma.demo")
	w, document := p.holds("salma.demo", format)
	p.present(b, w, "wallet-other", func() {
		officer := gov.Actor{ID: "demo", Administration: "agence-urbaine", Roles: []gov.Role{gov.RoleSign}}
		if _, err := p.Credentials.Change(p.t.Context(), officer, document, credential.Revoked, "lost"); err != nil {
			p.t.Fatal(err)
		}
		p.clock.turn(demoStatusLife + time.Second)
	})
	p.refused(b, "revoked", "It was revoked")
}

// expired is of a document that ends while the person makes up their mind.
func (p *presentation) expired(format string) {
	w, id := p.holds("salma.demo", format)
	d, err := p.Credentials.ByID(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	ends := time.Date(d.Until.Year, time.Month(d.Until.Month), d.Until.Day+1, 0, 0, 0, 0, p.Country.Zone())
	p.clock.turn(ends.Sub(p.clock.Now()) - time.Minute)
	b := p.reader("salma.demo")
	p.present(b, w, "wallet-other", func() { p.clock.turn(3 * time.Minute) })
	p.refused(b, "expired", "It has expired")
}

func (p *presentation) declined() {
	b, w := p.reader("salma.demo"), p.wallet()
	_, page := b.do(p.page, "wallet-other")
	q, err := w.Ask(p.t.Context(), p.link(page))
	if err == nil {
		_, err = w.Decline(p.t.Context(), q)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.refused(b, "declined", "You declined")
}

// Nobody reads the answer but the browser that asked, for the draft for which it asked.
func (p *presentation) elsewhere() {
	t, b := p.t, p.reader("salma.demo")
	w, _ := p.holds("salma.demo", openid4.SDJWT)
	p.present(b, w, "wallet-other", nil)
	same := p.reader("salma.demo")
	if _, page := same.do(p.page, "collect"); strings.Contains(page, "12345/06") {
		t.Error("another session of the same person reads the answer")
	}
	other := newPresentation(t, p.installation, p.clock)
	b.do(other.page, "wallet-other")
	id := p.evidence().Request
	for _, session := range []string{"", "x"} {
		if _, err := p.App.presents.Collect(t.Context(), id, session, ""); err == nil {
			t.Errorf("the session %q reads the answer", session)
		}
	}
	if _, page := b.do(other.page, "collect"); strings.Contains(page, "12345/06") {
		t.Error("another draft gets the answer")
	}
}

// narrow looks at the request itself: what the evidence of the procedure names, and
// nothing else.
func (p *presentation) narrow() {
	t, b := p.t, p.reader("salma.demo")
	_, page := b.do(p.page, "wallet-other")
	q, err := p.wallet().Ask(t.Context(), p.link(page))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"area", "charges", "family_name", "given_name", "issued_on", "property_name", "title"}
	for _, c := range q.Request.Query.Credentials {
		var names []string
		for _, x := range c.Claims {
			s, _ := x.Path[len(x.Path)-1].(string)
			names = append(names, s)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s asks for %v", c.ID, names)
		}
	}
	once, err := p.presents.once(context.WithoutCancel(t.Context()), presentedProcedure, presentedDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.presents.Ask(t.Context(), casework.PresentAsk{Administration: p.office, Procedure: presentedProcedure, Document: presentedDocument, Service: once.Service,
		Fields: append(slices.Clone(once.Fields), "national_number"), Person: p.person.ID, Session: "s"})
	if err == nil {
		t.Error("more is asked than the procedure says")
	}
	if _, err := p.presents.asOffice(t.Context(), officeAsks+"nobody:"+presentedProcedure+":"+presentedDocument); err == nil {
		t.Error("an administration that there is not asks")
	}
}
