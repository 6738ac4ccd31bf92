//go:build !race

package app_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
	"diwan/internal/casework/form"
)

// seenIn finds the mark of the version that a page of the builder shows.
var seenIn = regexp.MustCompile(`name="seen" value="([0-9a-f]+)"`)

// build posts a change of a form as its pages do, and follows where it leads.
func (k *asker) build(path, to string, v url.Values) string {
	k.t.Helper()
	m := seenIn.FindStringSubmatch(k.sees(path))
	if m == nil {
		k.t.Fatalf("%s can't be changed", path)
	}
	v.Set("seen", m[1])
	return k.moves(path, to, v)
}

// wants posts a change that must be refused with a sentence.
func (k *asker) wants(path, sentence string, v url.Values) {
	k.t.Helper()
	v.Set("seen", seenIn.FindStringSubmatch(k.sees(path))[1])
	w := k.post(path, v)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(w.Body.String()), sentence) {
		k.t.Errorf("%s: %d, without %q", path, w.Code, sentence)
	}
}

// said is a text in all languages of the form.
func said(v url.Values, name, text string) url.Values {
	for _, l := range []string{"ar", "fr", "zgh", "en"} {
		v.Set(name+"."+l, text)
	}
	return v
}

// An officer adds a document that is fetched and a repeated group, changes both,
// tries the preview, and another publishes what the law lets through.
func TestBuilderFetchesAndRepeats(t *testing.T) {
	a := apptest.Open(t)
	editor, commission := signedIn(t, a, apptest.Editor), signedIn(t, a, apptest.Commission)
	root := "/en/office/forms/building-permit/"

	// A form made from the procedure alone asks for no land title: the service lacks it.
	bare := editor.moves("/en/office/forms", "building-permit/", url.Values{"procedure": {"building-permit"}})
	editor.sees(bare, "This service needs answers", "land.title")
	fetch := "property MA/GOV/FONCIER/TITRES/titres"
	editor.wants(bare, "Add first the questions that the service needs: land.title", said(url.Values{"do": {"page.fetch"}, "fetch": {fetch}, "field": {"owner"}, "days": {"30"}}, "purpose", "To check."))

	at := editor.moves("/en/office/forms", "building-permit/", url.Values{"procedure": {"building-permit"}, "from": {"1"}})
	version := strings.TrimPrefix(at, root)
	if strings.Contains(editor.sees(at), `value="page.fetch"`) {
		t.Error("a document that the form fetches already is offered again")
	}
	editor.build(at, "saved=1", url.Values{"do": {"page.remove"}, "page": {"property"}})
	editor.sees(at, `value="page.fetch"`, fetch)
	add := func() url.Values {
		return said(said(url.Values{"do": {"page.fetch"}, "fetch": {fetch}, "field": {"owner", "number", "salary"}, "days": {"30"}, "required": {"yes"}}, "label", "Shall we fetch it?"), "purpose", "To check who owns it.")
	}
	none, alien := add(), add()
	none["field"] = []string{"salary"}
	editor.wants(at, "Choose at least one thing to read", none)
	alien.Set("fetch", "plans MA/GOV/FONCIER/TITRES/titres")
	editor.wants(at, "does not get this document", alien)
	page := strings.TrimSuffix(editor.build(at, "/pages/.*saved=1", add()), "?saved=1")
	editor.sees(page, "Shall we fetch it?", "To check who owns it.", `name="field" value="owner" checked`, `value="fetch"`)
	doc := builtDoc(t, a, version)
	i := slices.IndexFunc(doc.Pages, func(p form.Page) bool { return strings.HasSuffix(page, "/"+p.ID) })
	q := doc.Pages[i].Questions[0]
	if q.Kind != "evidence" || q.Evidence != "property" || q.Once == nil || q.Once.From != "ancfcc" || !slices.Equal(q.Once.Fields, []string{"number", "owner"}) || q.Once.Days != 30 {
		t.Fatalf("%+v", q)
	}
	if last := doc.Pages[len(doc.Pages)-1]; !slices.ContainsFunc(last.Questions, func(q form.Question) bool { return q.Kind == "signature" }) {
		t.Error("the declaration is not last")
	}
	change := said(said(url.Values{"do": {"question.set"}, "question": {q.Name}, "field": {"charges"}, "days": {"10"}, "required": {"yes"}}, "label", "May we?"), "purpose", "Debts.")
	editor.build(page, "saved=1", change)
	if q := builtDoc(t, a, version).Pages[i].Questions[0]; q.Once.Days != 10 || !slices.Equal(q.Once.Fields, []string{"charges"}) || q.Once.Service == "" {
		t.Errorf("changed: %+v", q.Once)
	}
	editor.wants(page, "", said(said(url.Values{"do": {"question.set"}, "question": {q.Name}, "field": {"charges"}, "days": {"4000"}}, "label", "May we?"), "purpose", "Debts."))

	// Without a land title there is nothing to fetch: the deed is brought instead.
	commission.sees(at, "fetch it through the exchange instead")
	editor.build(page, "saved=1", said(url.Values{"do": {"page.set"}, "when": {"answers.land.registered == true"}}, "title", "The certificate"))

	group := said(said(url.Values{"do": {"page.add"}, "kind": {"text"}, "required": {"yes"}, "repeated": {"yes"}, "min": {"1"}, "max": {"2"}}, "label", "Name of the heir"), "item", "Heir")
	wrong := said(said(url.Values{"do": {"page.add"}, "kind": {"text"}, "repeated": {"yes"}, "min": {"3"}, "max": {"2"}}, "label", "Name"), "item", "Heir")
	editor.wants(at, "", wrong)
	heirs := strings.TrimSuffix(editor.build(at, "/pages/.*saved=1", group), "?saved=1")
	editor.sees(heirs, "Heir 1", "form-add")
	try := strings.Replace(heirs, "/pages/", "/try/", 1)
	if w := editor.post(try, url.Values{"form-add": {"x"}}); w.Code != http.StatusOK {
		t.Errorf("the preview: %d", w.Code)
	}
	editor.build(heirs, "saved=1", said(said(url.Values{"do": {"page.set"}, "min": {"1"}, "max": {"4"}}, "title", "Heirs"), "item", "Heir no."))
	editor.sees(heirs, "Heirs", "Heir no. 1", `name="max" inputmode="numeric" value="4"`)
	editor.build(heirs, "saved=1", said(url.Values{"do": {"question.add"}, "kind": {"date"}}, "label", "Born on"))
	if strings.Contains(editor.sees(heirs), "build-fetch") || strings.Contains(editor.sees(heirs), `value="question.fetch"`) {
		t.Error("a document is offered to be fetched in a group")
	}

	// What the law does not let through is not published: a file outside the procedure
	// (article 3), a certified copy (article 7).
	stray := editor.build(at, "/pages/", said(url.Values{"do": {"page.add"}, "kind": {"file"}}, "label", "A certified copy"))
	commission.sees(at, "no document of the published procedure", "certified copy may not be asked")
	if w := commission.post(at, url.Values{"do": {"publish"}, "seen": {seenOf(editor, at)}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("published against the law: %d", w.Code)
	}
	id := strings.TrimSuffix(stray[strings.LastIndex(stray, "/")+1:], "?saved=1")
	editor.build(at, "saved=1", url.Values{"do": {"page.remove"}, "page": {id}})
	if w := editor.post(at, url.Values{"do": {"publish"}, "seen": {seenOf(editor, at)}}); w.Code < 400 {
		t.Errorf("published by who built it: %d", w.Code)
	}
	if w := commission.post(at, url.Values{"do": {"publish"}, "seen": {seenOf(editor, at)}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("published by another site: %d", w.Code)
	}
	commission.moves(at, "saved=1", url.Values{"do": {"publish"}, "seen": {seenOf(editor, at)}})
	f, err := a.Casework.Form(t.Context(), "building-permit", "")
	if err != nil || f.Doc().Version != version || f.Once("property") == nil || f.Once("property").Days != 10 {
		t.Errorf("online: %v, %v", f.Doc().Version, err)
	}
}

func seenOf(k *asker, at string) string { return seenIn.FindStringSubmatch(k.sees(at))[1] }

func builtDoc(t *testing.T, a *app.App, version string) form.Doc {
	t.Helper()
	f, err := a.Casework.Built(t.Context(), "building-permit", version)
	if err != nil {
		t.Fatal(err)
	}
	return f.Doc()
}
