package verifier

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"diwan/internal/gov"
	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vp"
)

// permitKinds are what a desk offers in these tests.
func permitKinds(context.Context) ([]Kind, error) {
	k := Kind{Name: gov.Text{"fr": "Permis"}, Format: openid4.SDJWT, Type: permitType}
	for _, c := range []string{"holder", "land_title", "works"} {
		k.Claims = append(k.Claims, KindClaim{claimpath.Path{c}, gov.Text{"fr": "The " + c}})
	}
	return []Kind{k}, nil
}

// notaryDesk registers a notary, who may ask two claims of a permit, and opens the pages.
func (w *world) notaryDesk() {
	w.Helper()
	w.Demo = false
	p := described(w, "notary")
	p.May = []Allowed{{Format: openid4.SDJWT, Type: permitType, Name: gov.Text{"fr": "Permis"}, Claims: []claimpath.Path{pathHolder, pathTitle}}}
	if err := w.Verifier.Register(w.Context(), officer, p, true); err != nil {
		w.Fatal(err)
	}
	may := func(context.Context, gov.Actor, string) error { return nil }
	inner := http.NewServeMux()
	(&Desk{Verifier: w.Verifier, Site: w.site, Actor: whoAsks, May: may, Kinds: permitKinds, Named: func(context.Context, string) gov.Text { return nil }}).Register(inner)
	(&Pages{Verifier: w.Verifier, Site: w.site, May: may}).Register(inner)
	mux := http.NewServeMux()
	w.RegisterWallets(mux)
	(&API{w.Verifier, w.site}).Register(mux)
	w.site.Mount(mux, inner)
	w.mux = mux
}

// question is a form as an officer fills it in.
func (w *world) question(change func(url.Values)) url.Values {
	f := url.Values{"id": {"sale"}, "keep": {KeepNothing}, "ask": {openid4.SDJWT + " " + permitType + " " + pathHolder.String()}}
	for _, l := range w.Country.Languages {
		f.Set("name."+string(l.Code), "Who holds the permit")
		f.Set("why."+string(l.Code), "To write the deed")
	}
	if change != nil {
		change(f)
	}
	return f
}

const permitQuery = `{"credentials":[{"id":"p","format":"dc+sd-jwt","meta":{"vct_values":["` + permitType + `"]},"claims":[{"path":["holder"],"values":["Salma EL MITAL"]}%s]}]}`

func dcqlOf(more string) string { return strings.Replace(permitQuery, "%s", more, 1) }

// TestQuestions writes questions as an officer does, with everything that is refused.
func TestQuestions(t *testing.T) {
	each(t, func(w *world) {
		w.notaryDesk()
		ctx, desk := w.Context(), w.as(officer)
		const at = "/fr" + DeskPath + "/notary"
		set := func(pairs ...string) func(url.Values) {
			return func(f url.Values) {
				for i := 0; i < len(pairs); i += 2 {
					f.Set(pairs[i], pairs[i+1])
				}
			}
		}
		for name, c := range map[string]struct {
			change func(url.Values)
			says   string
		}{
			"a bad id":           {set("id", "9-lives"), "problem.verification.template.id"},
			"no words":           {set("why.ar", " "), "problem.verification.template.words"},
			"nothing asked":      {func(f url.Values) { f.Del("ask") }, "problem.verification.register.nothing"},
			"a box of their own": {set("ask", openid4.SDJWT+" "+permitType+" "+pathWorks.String()), "problem.verification.register.nothing"},
			"kept, no time":      {set("keep", KeepClaims), "problem.verification.template.keep"},
			"kept too long":      {set("keep", KeepClaims, "long", "31", "unit", "days"), "problem.verification.template.keep"},
			"kept for no unit":   {set("keep", KeepOutcome, "long", "3", "unit", "years"), "problem.verification.template.keep"},
			"kept, overflow":     {set("keep", KeepOutcome, "long", "999999999999999999", "unit", "days"), "problem.verification.template.keep"},
			"kept otherwise":     {set("keep", "all"), "problem.verification.template.keep"},
			"boxes and a query":  {set("dcql", dcqlOf("")), "problem.verification.template.both"},
			"no query":           {func(f url.Values) { f.Del("ask"); f.Set("dcql", "{}") }, "problem.verification.query"},
			"a deep query":       {func(f url.Values) { f.Del("ask"); f.Set("dcql", strings.Repeat("[", 50000)) }, "problem.verification.query"},
			"over-asking":        {func(f url.Values) { f.Del("ask"); f.Set("dcql", dcqlOf(`,{"path":["works"]}`)) }, "The works"},
			"another type":       {func(f url.Values) { f.Del("ask"); f.Set("dcql", strings.ReplaceAll(dcqlOf(""), permitType, "urn:x:1")) }, "urn:x:1"},
			"of nobody in person": {func(f url.Values) {
				f.Del("ask")
				f.Set("dcql", strings.Replace(dcqlOf(""), `"id":"p"`, `"id":"p","require_cryptographic_holder_binding":false`, 1))
			}, "problem.verification.unbound"},
		} {
			rec := desk.post(at+"/templates/new", w.question(c.change))
			says := c.says
			if strings.HasPrefix(says, "problem.") {
				says, _, _ = strings.Cut(w.site.Words.Printer("fr").T(says), "{")
			}
			if rec.Code != 422 || !strings.Contains(rec.Body.String(), says) {
				w.Errorf("%s: %d, without %q", name, rec.Code, says)
			}
		}
		if rec := desk.post("/fr"+DeskPath+"/bank-demo/templates/new", w.question(nil)); rec.Code != 409 {
			w.Errorf("a question for a verifier of the data: %d", rec.Code)
		}
		for id, change := range map[string]func(url.Values){"sale": nil, "exact": func(f url.Values) {
			f.Set("id", "exact")
			f.Del("ask")
			f.Set("dcql", dcqlOf(`,{"path":["land_title"]}`))
			f.Set("keep", KeepClaims)
			f.Set("long", "2")
			f.Set("unit", "days")
		}} {
			if rec := desk.post(at+"/templates/new", w.question(change)); rec.Code != 303 {
				w.Fatalf("%s: %d %s", id, rec.Code, rec.Body)
			}
		}
		if rec := desk.post(at+"/templates/new", w.question(nil)); rec.Code != 422 {
			w.Errorf("an id twice: %d", rec.Code)
		}
		p := w.parties0("notary")
		if e := p.Template("notary-exact"); e == nil || e.Keep != KeepClaims || e.Minutes != 2*24*60 || len(p.Templates) != 3 || len(p.Questions()) != 2 || p.Template("notary-1") == nil {
			w.Fatalf("%+v", p.Templates)
		}
		for _, l := range []string{"ar", "fr", "zgh", "en"} {
			for path, want := range map[string]string{"": "notary-exact", "/templates/new": `name="dcql"`, "/templates/notary-sale": " checked", "/templates/notary-exact": `&#34;values&#34;`} {
				if rec := desk.get("/" + l + DeskPath + "/notary" + path); rec.Code != 200 || !strings.Contains(rec.Body.String(), want) {
					w.Errorf("%s%s: %d, without %s", l, path, rec.Code, want)
				}
			}
		}
		if body := desk.get(at + "/templates/notary-exact").Body.String(); !strings.Contains(body, `value="2"`) || !strings.Contains(body, `value="days" selected`) {
			w.Error("how long it is kept is not shown as it was written")
		}
		for _, id := range []string{"notary-1", "nowhere"} { // one made automatically, and none
			if rec := desk.post(at+"/templates/"+id, w.question(nil)); rec.Code != 404 {
				w.Errorf("changing %s: %d", id, rec.Code)
			}
			if rec := desk.post(at+"/templates/"+id, url.Values{"do": {"drop"}}); rec.Code != 404 {
				w.Errorf("dropping %s: %d", id, rec.Code)
			}
		}
		// A person of the notary asks it.
		w.joined("notary", clerk("a"))
		a := w.as(clerk("a"))
		if body := a.get("/fr/verify").Body.String(); !strings.Contains(body, `value="notary-sale"`) || strings.Contains(body, `value="notary-1"`) {
			w.Error("the pages offer other questions")
		}
		where := a.begin("/fr", "notary", "notary-sale", CrossDevice)
		q := w.open(a.link(where))
		if rec := w.post(q, w.sealed(q, vp.Tokens{"document": {w.show(w.permitText, q, nil, pathHolder)}})); rec.Code != 200 {
			w.Fatal(rec.Code)
		}
		if body := a.post(where+"/result", nil).Body.String(); !strings.Contains(body, "Salma EL MITAL") || !strings.Contains(body, "is-good") {
			w.Error("the answer to a written question")
		}
		// What the verifier may ask becomes less: a question that asks more stands in the way.
		less := described(w, "notary")
		less.May = []Allowed{{Format: openid4.SDJWT, Type: permitType, Claims: []claimpath.Path{pathHolder}}}
		if err := w.Verifier.Register(ctx, officer, less, false); code(err) != "verification.over_asked" {
			w.Errorf("a question asks more than may be asked: %v", err)
		}
		if rec := desk.post(at+"/templates/notary-exact", url.Values{"do": {"drop"}}); rec.Code != 303 {
			w.Errorf("dropping: %d", rec.Code)
		}
		if err := w.Verifier.Register(ctx, officer, less, false); err != nil {
			w.Error(err)
		}
		if p := w.parties0("notary"); len(p.Templates) != 2 || p.Template("notary-sale") == nil || !p.Template("notary-sale").Written {
			w.Errorf("what was written is gone: %+v", p.Templates)
		}
		trail, err := w.Verifier.Trail(ctx, "notary", 50)
		if err != nil || !slices.ContainsFunc(trail, entryOf(didWrite, "notary-sale")) || !slices.ContainsFunc(trail, entryOf(didDrop, "notary-exact")) {
			w.Errorf("the trail: %+v %v", trail, err)
		}
	})
}

// Boxes say a query only when they say all of it.
func TestChosen(t *testing.T) {
	plain, err := queryFor([]Allowed{{Format: openid4.SDJWT, Type: permitType, Claims: []claimpath.Path{pathHolder}}, {Format: openid4.MDoc, Type: licence, Claims: []claimpath.Path{{licenceNS, "age_over_18"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if from, ok := chosen(plain); !ok || len(from) != 2 || from[1].Type != licence || !has(from, openid4.SDJWT, permitType, pathHolder) || has(from, openid4.SDJWT, permitType, pathTitle) {
		t.Errorf("%+v %v", from, ok)
	}
	for _, s := range []string{dcqlOf(""), "", "{", strings.Replace(string(plain), permitType+`"`, permitType+`","urn:x:2"`, 1), strings.Replace(string(plain), `"document-2"`, `"other"`, 1)} {
		if _, ok := chosen(json.RawMessage(s)); ok {
			t.Errorf("%s is one of boxes", s)
		}
	}
}
