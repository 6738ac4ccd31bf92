package app

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"diwan/internal/casework"
)

// The first page of what was handed in is shown to those who may open the file, as a
// picture that was drawn here and nothing else.
func TestPreviewOfFiles(t *testing.T) {
	c := &turnedClock{}
	c.at.Store(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix())
	i := serveAppAt(t, c, nil)
	p := newPresentation(t, i, c)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"plan.png": picture.String() + "<html><script>alert(1)</script>", "note.txt": "a note"} {
		if _, err := i.caseFiles.Receive(t.Context(), &p.draft, name, strings.NewReader(content)); err != nil {
			t.Fatal(name, err)
		}
	}
	k := p.file()
	files, err := i.caseFiles.OfCase(t.Context(), k.ID)
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	person, officer := i.reader("salma.demo"), i.officer("study.demo")
	for _, f := range files {
		isPicture := f.Name == "plan.png"
		if f.Previewed != isPicture {
			t.Errorf("%s: previewed %v", f.Name, f.Previewed)
		}
		for who, b := range map[string]*reader{"/me": person, "/office": officer} {
			at := "/en" + who + "/cases/" + k.Number
			res, err := b.Get(b.base + at + "/files/" + f.ID + "/preview")
			if err != nil {
				t.Fatal(err)
			}
			h := res.Header
			_, body := b.read(res, nil)
			if !isPicture {
				if res.StatusCode != http.StatusNotFound {
					t.Errorf("%s at %s: %d", f.Name, at, res.StatusCode)
				}
				continue
			}
			if res.StatusCode != http.StatusOK || h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" ||
				!strings.Contains(h.Get("Cache-Control"), "no-store") || strings.Contains(body, "script") {
				t.Errorf("%s at %s: %d %v", f.Name, at, res.StatusCode, h)
			}
			if _, page := b.get(at); !strings.Contains(page, "/files/"+f.ID+`/preview"`) || !strings.Contains(page, `loading="lazy"`) || !strings.Contains(page, "No preview of this file") {
				t.Errorf("the page at %s shows no preview", at)
			}
		}
		other := i.officer("neighbour.demo")
		if status, _ := other.get("/en/office/cases/" + k.Number + "/files/" + f.ID + "/preview"); status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("an officer of elsewhere sees %s: %d", f.Name, status)
		}
		if status, _ := person.get("/en/me/cases/" + k.Number + "/files/" + strings.Repeat("a", 26) + "/preview"); status != http.StatusNotFound {
			t.Errorf("the file of another case: %d", status)
		}
	}
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		t.Log("pdftoppm is not installed: PDF files have no preview here")
	}
	var _ casework.Files = i.caseFiles
}

// While an application is drafted its files are shown to whoever writes it, on the page
// of their question and where all answers are checked, and to nobody else; never
// before they were found clean.
func TestPreviewInDraft(t *testing.T) {
	c := &turnedClock{}
	c.at.Store(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC).Unix())
	i := serveAppAt(t, c, nil)
	p := newPresentation(t, i, c)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	person := i.reader("salma.demo")
	at := "/en/me/drafts/" + p.draft.ID
	if status, page := person.send(at+"/pages/plans", "plans", "plan.png", picture.Bytes(), "form-upload", "plans"); status != http.StatusOK || !strings.Contains(page, "plan.png") {
		t.Fatal(status)
	}
	files, err := i.caseFiles.OfDraft(t.Context(), &p.draft)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	source := at + "/files/" + files[0].ID + "/preview"
	shows := func(want bool) {
		t.Helper()
		for _, page := range []string{"/pages/plans", "/check"} {
			status, body := person.get(at + page)
			if status != http.StatusOK || !strings.Contains(body, "plan.png") || strings.Contains(body, `src="`+source+`"`) != want {
				t.Errorf("%s: %d, shows the picture: %v", page, status, !want)
			}
		}
	}
	shows(true)
	res, err := person.Get(person.base + source)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := person.read(res, nil); status != http.StatusOK || res.Header.Get("Content-Type") != "image/png" || res.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || !strings.HasPrefix(body, "\x89PNG") {
		t.Error(status, res.Header)
	}
	neighbour := newPresentation(t, i, c)
	for name, k := range map[string]struct {
		b    *reader
		path string
	}{
		"another person":                 {i.reader("youssef.demo"), source},
		"an officer":                     {i.officer("study.demo"), source},
		"an officer at the counter":      {i.officer("counter.demo"), strings.Replace(source, "/me/", "/office/counter/", 1)},
		"by another draft of the person": {person, strings.Replace(source, p.draft.ID, neighbour.draft.ID, 1)},
		"a file that is not there":       {person, strings.Replace(source, files[0].ID, strings.Repeat("a", 26), 1)},
	} {
		if status, body := k.b.get(k.path); status == http.StatusOK && strings.HasPrefix(body, "\x89PNG") {
			t.Errorf("%s sees the file: %d", name, status)
		}
	}
	for _, state := range []string{"held", "quarantined"} {
		if _, err := i.DB.Writer().ExecContext(t.Context(), `UPDATE upload_file SET state = $1 WHERE id = $2`, state, files[0].ID); err != nil {
			t.Fatal(err)
		}
		shows(false)
		if status, _ := person.get(source); status != http.StatusConflict {
			t.Errorf("%s: %d", state, status)
		}
	}
}

// send posts a page with one file.
func (b *reader) send(path, field, name string, content []byte, more ...string) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(more); i += 2 {
		if err := form.WriteField(more[i], more[i+1]); err != nil {
			b.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.read(b.Post(b.base+path, form.FormDataContentType(), &body))
}
