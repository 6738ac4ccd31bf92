package app

import (
	"bytes"
	"image"
	"image/png"
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
