// Package provider is the development OpenID Connect provider itself. The protocol
// is that of github.com/zitadel/oidc; here are its store in memory, the page with
// the list of people, and the notice to the site when somebody signs out.
package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"diwan/examples/signin/people"
)

// Options say what the provider is for.
type Options struct {
	Issuer   string // its own address
	ClientID string
	Secret   string
	// Sites are the addresses of the one site that people sign in to.
	Sites []string
	// Callback, SignedOut and Logout are the paths there.
	Callback, SignedOut, Logout string
	People                      int
}

//go:embed page.html
var pageFile string

//go:embed static
var staticFiles embed.FS

// New returns the provider.
func New(o Options) (http.Handler, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	var crypt [32]byte
	rand.Read(crypt[:])
	s := &storage{options: o, key: key, keyID: rand.Text(), requests: map[string]*request{}, codes: map[string]string{}, sessions: map[string][]string{}, people: map[string]*people.Person{}}
	list := people.First(o.People)
	for i := range list {
		s.people[list[i].Login] = &list[i]
	}
	p, err := op.NewProvider(&op.Config{CryptoKey: crypt, DefaultLogoutRedirectURI: "/", CodeMethodS256: true, AuthMethodPost: true,
		BackChannelLogoutSupported: true, BackChannelLogoutSessionSupported: true,
		SupportedUILocales: []language.Tag{language.Arabic, language.French}, SupportedClaims: []string{"sub", "name", "name#ar", "name#fr", "birthdate", "national_id", "represents", "sid"}},
		s, op.StaticIssuer(o.Issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("making the provider: %w", err)
	}
	page, err := template.New("page").Parse(pageFile)
	if err != nil {
		return nil, err
	}
	d := &desk{storage: s, page: page, list: list, callback: op.AuthCallbackURL(p)}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(staticFiles))
	mux.HandleFunc("GET /{$}", d.home)
	mux.HandleFunc("GET /choose", d.choose)
	mux.HandleFunc("POST /choose", d.chosen)
	mux.Handle("/", p)
	cross := http.NewCrossOriginProtection()
	for _, site := range o.Sites {
		if err := cross.AddTrustedOrigin(site); err != nil {
			return nil, err
		}
	}
	return headers(cross.Handler(mux)), nil
}

// headers let a page load only what this program serves. Its form leads to the site
// that is signed in to, by way of the protocol.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		}
		next.ServeHTTP(w, r)
	})
}

// Run serves the provider until ctx ends, and prints a line beginning "ready" when
// it answers.
func Run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("signin", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:8190", "address to answer on, of this machine")
	client := f.String("client", "diwan-demo", "client id of the site")
	secret := f.String("secret", "", "client secret of the site; empty is a public client")
	sites := f.String("site", "http://127.0.0.1:8080,http://localhost:8080", "addresses of the site, with commas between")
	path := f.String("path", "/sign-in/demo", "where the site's addresses for this provider begin")
	count := f.Int("people", 0, "how many people to list")
	if err := f.Parse(args); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return errors.New("--listen must be an address of this machine such as 127.0.0.1:8190: anybody may sign in here as anybody")
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	h, err := New(Options{Issuer: "http://" + l.Addr().String(), ClientID: *client, Secret: *secret, Sites: strings.Split(*sites, ","),
		Callback: *path + "/callback", SignedOut: *path + "/signed-out", Logout: *path + "/back-channel", People: *count})
	if err != nil {
		l.Close()
		return err
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		srv.Shutdown(end)
	}()
	fmt.Fprintf(out, "ready signin on http://%s\n", l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
