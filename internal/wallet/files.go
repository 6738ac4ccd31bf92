package wallet

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/web"
)

// Files of the application that are served under names of their own.
const (
	indexFile  = "index.html"
	workerFile = "sw.js"
	iconFile   = "icon.svg"
	workerPath = Root + "sw.js"
)

// shared are the files of the site that the application uses too.
var shared = []string{"tokens.css", "diwan.css", "brand/favicon.svg", "brand/pattern.svg", "fonts/diwan-arabic-400.woff2", "fonts/diwan-arabic-600.woff2",
	"fonts/diwan-latin-400.woff2", "fonts/diwan-latin-600.woff2", "fonts/diwan-latin-ext-400.woff2", "fonts/diwan-latin-ext-600.woff2", "fonts/diwan-tifinagh-400.woff2"}

// load prepares all files. Those of one version lie below an address that names their
// content, so that browsers may keep them for ever and modules name each other by
// where they lie.
func (a *App) load() error {
	content, err := a.read()
	if err != nil {
		return err
	}
	sum := sha256.New()
	for _, n := range sorted(content) {
		fmt.Fprintf(sum, "%s %d\n", n, len(content[n]))
		sum.Write(content[n])
	}
	for _, n := range shared {
		sum.Write([]byte(a.Site.Assets.URL(n)))
	}
	a.version = hex.EncodeToString(sum.Sum(nil)[:6])
	for n, b := range content {
		switch n {
		case indexFile, workerFile:
			continue
		}
		a.files[n] = web.NewRendered(contentType(n), b)
	}
	if err := a.renderPages(content); err != nil {
		return err
	}
	return a.renderWorker(content)
}

// read returns the files as they are served.
func (a *App) read() (map[string][]byte, error) {
	content := map[string][]byte{}
	err := fs.WalkDir(appFiles, "app", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := appFiles.ReadFile(p)
		if err != nil {
			return err
		}
		if path.Ext(p) == ".js" {
			b = withoutComments(b)
		}
		content[strings.TrimPrefix(p, "app/")] = b
		return nil
	})
	return content, err
}

var (
	types    = regexp.MustCompile(`(?s)[ \t]*/\*\*.*?\*/[ \t]?`)
	comments = regexp.MustCompile(`(?m)^[ \t]*//.*\n`)
	blank    = regexp.MustCompile(`\n{2,}`)
)

// withoutComments takes away what only programmers read: comments that begin a line,
// and those that give types. The sources keep to these two, and to no text that looks
// like one; the tests run what is served.
func withoutComments(b []byte) []byte {
	b = types.ReplaceAll(b, nil)
	b = comments.ReplaceAll(b, nil)
	return bytes.TrimLeft(blank.ReplaceAll(b, []byte("\n")), "\n")
}

func sorted(m map[string][]byte) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// under is the address of the files of this version.
func (a *App) under() string { return Root + "v/" + a.version + "/" }

// indexData is what the page and the manifest of one language say.
type indexData struct {
	Lang                                                   gov.Lang
	Dir, Title, NoScript, Icon, Tokens, Base, Root, Colour string
}

// colour of the frame around an installed application: the deep band of the design.
const colour = "#07402f"

func (a *App) renderPages(content map[string][]byte) error {
	t, err := template.New("").Parse(string(content[indexFile]))
	if err != nil {
		return fmt.Errorf("the wallet's page: %w", err)
	}
	for _, l := range a.Site.Country.Languages {
		text, ok := content["words/"+string(l.Code)+".json"]
		if !ok {
			continue // the application speaks what it has words for
		}
		var words map[string]string
		if err := json.Unmarshal(text, &words); err != nil {
			return fmt.Errorf("the wallet's words in %s: %w", l.Code, err)
		}
		a.languages = append(a.languages, l)
		d := indexData{l.Code, l.Dir, words["title"], words["noscript"], a.Site.Assets.URL("brand/favicon.svg"), a.Site.Assets.URL("tokens.css"), a.Site.Assets.URL("diwan.css"), a.under(), colour}
		var page bytes.Buffer
		if err := t.Execute(&page, d); err != nil {
			return fmt.Errorf("the wallet's page: %w", err)
		}
		a.pages[l.Code] = web.NewRendered("text/html; charset=utf-8", page.Bytes())
		if err := a.renderManifest(d); err != nil {
			return err
		}
	}
	if len(a.languages) == 0 {
		return errors.New("the wallet has no words in a language of the country")
	}
	return nil
}

func (a *App) renderManifest(d indexData) error {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	type protocol struct {
		Protocol string `json:"protocol"`
		URL      string `json:"url"`
	}
	m := map[string]any{"id": Root, "name": d.Title, "short_name": d.Title, "lang": d.Lang, "dir": d.Dir, "start_url": Root, "scope": Root, "display": "standalone", "background_color": "#f5f7f5", "theme_color": colour,
		"icons":             []icon{{a.under() + iconFile, "any", "image/svg+xml", "any"}, {a.under() + iconFile, "512x512", "image/svg+xml", "maskable"}},
		"protocol_handlers": []protocol{{"web+openid-credential-offer", Root + "?link=%s"}, {"web+openid4vp", Root + "?link=%s"}}}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	a.named[manifestPath(d.Lang)] = web.NewRendered("application/manifest+json", b)
	return nil
}

func manifestPath(l gov.Lang) string { return Root + "manifest." + string(l) + ".webmanifest" }

// renderWorker writes the service worker, before whose text stands what it keeps.
func (a *App) renderWorker(content map[string][]byte) error {
	list := []string{Root}
	for n := range a.files {
		list = append(list, a.under()+n)
	}
	for _, n := range shared {
		list = append(list, a.Site.Assets.URL(n))
	}
	for _, l := range a.languages {
		list = append(list, manifestPath(l.Code))
	}
	slices.Sort(list)
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("const version = %q, files = %s;\n%s", a.version, b, content[workerFile])
	a.named[workerPath] = web.NewRendered("text/javascript; charset=utf-8", []byte(text))
	return nil
}

// policy lets the application load only its own files and call any issuer or verifier
// over TLS: whom it calls the person has seen. A demonstration lives on the loopback.
func (a *App) policy() string {
	call := "'self' https:"
	if a.Site.Demo {
		call += " http://127.0.0.1:* http://localhost:*"
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src " + call +
		"; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types diwan-wallet"
}

// page answers with the one page of the application, in the reader's language.
func (a *App) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", a.policy())
	h.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
	p := a.pages[a.Site.NegotiateLang(r)]
	if p == nil {
		p = a.pages[a.languages[0].Code]
	}
	p.ServeHTTP(withLanguage{w}, r)
}

// withLanguage says that the answer depends on the reader's language too.
type withLanguage struct{ http.ResponseWriter }

// WriteHeader adds to what the page says of its caching.
func (l withLanguage) WriteHeader(status int) {
	l.say()
	l.ResponseWriter.WriteHeader(status)
}

// Write writes the page.
func (l withLanguage) Write(b []byte) (int, error) {
	l.say()
	return l.ResponseWriter.Write(b)
}

func (l withLanguage) say() { l.Header()["Vary"] = []string{"Accept-Encoding, Accept-Language"} }

// file answers with a file of this version. Another version's is not found: its
// service worker has kept all of them.
func (a *App) file(w http.ResponseWriter, r *http.Request) {
	f := a.files[r.PathValue("file")]
	if f == nil || r.PathValue("version") != a.version {
		http.NotFound(w, r)
		return
	}
	f.ServeHTTP(forever{w}, r)
}

// forever lets browsers keep what an address with a version gives.
type forever struct{ http.ResponseWriter }

// WriteHeader replaces the caching of pages that may change.
func (f forever) WriteHeader(status int) {
	f.keep()
	f.ResponseWriter.WriteHeader(status)
}

// Write writes the file.
func (f forever) Write(b []byte) (int, error) {
	f.keep()
	return f.ResponseWriter.Write(b)
}

func (f forever) keep() {
	f.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
}
