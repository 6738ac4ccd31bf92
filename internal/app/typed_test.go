package app_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// What was written in a form that can't be taken comes back with the reason, in the form
// that it was written in: an officer's reasons, a fee, a person's message.
func TestTypedWordsComeBack(t *testing.T) {
	a := apptest.Open(t)
	c := apptest.CaseDesk(t, a)
	studies, signs, unsure, salma := signedIn(t, a, apptest.Studies), signedIn(t, a, apptest.Signs), entered(t, a, apptest.Signs), signedIn(t, a, apptest.Person)
	const words = "The wall stands <b>two</b> metres too far."
	kept := regexp.QuoteMeta("The wall stands &lt;b&gt;two&lt;/b&gt; metres too far.")
	long := strings.Repeat("x", 64<<10+1)
	desk, mine := "/en/office/cases/"+c.Running, "/en/me/cases/"+c.Running
	for name, x := range map[string]struct {
		who  *asker
		path string
		form url.Values
		want string
	}{
		"a fee":                     {studies, desk + "/fee", url.Values{"amount": {"abc"}, "words": {words}}, `(?s)<details class="fold" open>.*name="amount"[^>]* value="abc".*` + kept},
		"a decision that came late": {signs, desk, url.Values{"do": {"refused"}, "words": {words}, "version": {"1"}}, `id="w-refused"[^>]*>` + kept + `</textarea>`},
		"a decision without proof of who it is": {unsure, desk, url.Values{"do": {"refused"}, "words": {words}},
			`(?s)href="/en/office/confirm[^"]*" target="_blank".*id="w-refused"[^>]*>` + kept + `</textarea>`},
		"an opinion":             {studies, desk + "/advice", url.Values{"to": {"nowhere"}, "words": {words}}, `id="op-w"[^>]*>` + kept + `</textarea>`},
		"an internal note":       {studies, desk, url.Values{"do": {"noted"}, "words": {long}}, `id="w-noted"[^>]*>` + long},
		"a message that is long": {salma, mine, url.Values{"do": {"message"}, "words": {long}}, `id="m"[^>]*>` + long},
	} {
		w := x.who.post(x.path, x.form)
		if w.Code != http.StatusUnprocessableEntity || !regexp.MustCompile(x.want).MatchString(w.Body.String()) {
			t.Errorf("%s: %d, not given back as %.80s", name, w.Code, x.want)
		}
	}
}
