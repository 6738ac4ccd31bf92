package app

import (
	"net/http"
	"strings"
	"testing"

	"diwan/internal/credential"
)

// A document with a list and a picture, on the pages of its holder and of the officers:
// words entry by entry, and a picture that only they get.
func TestLicencePages(t *testing.T) {
	i := serveApp(t, nil)
	id := i.offer(drivingLicence)["document"]
	kind, err := i.Credentials.Type(t.Context(), drivingLicence)
	if err != nil {
		t.Fatal(err)
	}
	k, ok := kind.Claim("driving_privileges")
	if !ok || k.Kind != credential.List {
		t.Fatalf("%+v", k)
	}
	person := i.reader("salma.demo")
	for _, l := range i.Country.Languages {
		lang := string(l.Code)
		page := "/" + lang + "/me/documents/" + id
		status, body := person.get(page)
		want := []string{`<img src="` + page + `/picture/portrait" alt="`, "2036-03-31", "<dd><bdi>B</bdi></dd>", k.Label[l.Code]}
		for _, m := range k.Members {
			want = append(want, "<dt>"+m.Label[l.Code]+"</dt>")
		}
		for _, s := range want {
			if status != http.StatusOK || !strings.Contains(strings.ReplaceAll(body, "&#39;", "'"), s) {
				t.Errorf("%s: %d, it lacks %q", page, status, s)
			}
		}
		if strings.Contains(body, "vehicle_category_code") || strings.Contains(body, "data:image") {
			t.Errorf("%s: the list is not in words, or the picture in the page", page)
		}
	}
	picture := "/fr/me/documents/" + id + "/picture/portrait"
	res, err := person.Get(person.base + picture)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := person.read(res, nil); status != http.StatusOK || res.Header.Get("Content-Type") != "image/jpeg" || res.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" ||
		!strings.HasPrefix(body, "\xff\xd8\xff") {
		t.Error(status, res.Header)
	}
	for name, k := range map[string]struct {
		b    *reader
		path string
		want int
	}{
		"another person":       {i.reader("youssef.demo"), picture, http.StatusNotFound},
		"another claim":        {person, "/fr/me/documents/" + id + "/picture/family_name", http.StatusNotFound},
		"the person as office": {person, "/fr/office/documents/" + id + "/picture/portrait", 0}, // is led to the officers' sign-in
		"another office":       {i.officer("study.demo"), "/fr/office/documents/" + id + "/picture/portrait", http.StatusNotFound},
	} {
		if status, body := k.b.get(k.path); status == http.StatusOK && strings.HasPrefix(body, "\xff\xd8") || k.want != 0 && k.want != status {
			t.Errorf("%s gets %d", name, status)
		}
	}
	res, err = person.Get(person.base + "/fr/me/documents/" + id + "/paper")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := person.read(res, nil); status != http.StatusOK || !strings.HasPrefix(body, "%PDF") {
		t.Error("the paper form:", status)
	}
}
