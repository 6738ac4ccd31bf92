// Package provider is a test provider of payments. It keeps its orders in memory and
// forgets them when it ends.
//
// The site and it share a secret. An address that leads a payer here carries the
// order, the case, the amount in hundredths, the currency, the address to come back
// to and the time, under an HMAC-SHA256 ("seal") over the time, a dot and the other
// values written as a query. What the payer chose is told to the site by POST, with
// the headers Payment-Timestamp (seconds) and Payment-Signature ("v1=" and the
// HMAC of the time, a dot and the body). A message that is not answered with 2xx is
// sent again, sealed anew each time.
package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say whom the provider works for.
type Options struct {
	Secret string
	Notify string   // the site's address for messages
	Sites  []string // to which payers may be sent back
	// Wait is how long the first repeated message waits; each further one waits
	// twice as long. 0 is a second.
	Wait time.Duration
	Now  func() time.Time // nil is the machine's clock
}

// Bounds.
const (
	tolerance = 5 * time.Minute // of a sealed request's age
	orderLife = 24 * time.Hour  // in which a sealed address may be opened
	maxOrders = 10_000
	maxTries  = 12
)

//go:embed page.html
var pageFile string

//go:embed static
var staticFiles embed.FS

// order is one that somebody was sent here with.
type order struct {
	ID, Case, Currency, Back, Lang string
	Amount                         int64
	State                          string // "", "paid", "refused", "refunded"
	at                             time.Time
}

// Provider is the test provider.
type Provider struct {
	o      Options
	page   *template.Template
	client *http.Client
	ctx    context.Context // ends with the program; messages stop with it

	mu     sync.Mutex
	orders map[string]*order
	sent   sync.WaitGroup
}

// New returns the provider; its messages stop when ctx ends.
func New(ctx context.Context, o Options) (*Provider, error) {
	if o.Secret == "" {
		return nil, errors.New("a secret is needed: the site knows messages by it")
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	page, err := template.New("page").Parse(pageFile)
	if err != nil {
		return nil, err
	}
	return &Provider{o: o, page: page, client: &http.Client{Timeout: 5 * time.Second}, ctx: ctx, orders: map[string]*order{}}, nil
}

// Handler answers payers and the site.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(staticFiles))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { p.show(w, http.StatusOK, shown{Lang: "ar"}) })
	mux.HandleFunc("GET /pay", p.open)
	mux.HandleFunc("POST /pay", p.choose)
	mux.HandleFunc("POST /refunds", p.refund)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		// The page's form leads back to the site, as the form's answer says.
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+strings.Join(p.o.Sites, " "))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		}
		http.NewCrossOriginProtection().Handler(mux).ServeHTTP(w, r)
	})
}

// Wait returns when no message is on its way.
func (p *Provider) Wait() { p.sent.Wait() }

// Seal is the HMAC of a message at a time.
func (p *Provider) seal(timestamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(p.o.Secret))
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// recent tells whether a time in seconds is at most so old, and not ahead.
func (p *Provider) recent(seconds string, age time.Duration) bool {
	n, err := strconv.ParseInt(seconds, 10, 64)
	d := p.o.Now().Sub(time.Unix(n, 0))
	return err == nil && d <= age && d >= -tolerance
}

// read checks the address that a payer came with.
func (p *Provider) read(q url.Values) (*order, error) {
	seal := q.Get("seal")
	q.Del("seal")
	if !hmac.Equal([]byte(seal), []byte(p.seal(q.Get("time"), []byte(q.Encode())))) || !p.recent(q.Get("time"), orderLife) {
		return nil, errors.New("this address was not made by the site, or is too old")
	}
	back, err := url.Parse(q.Get("back"))
	if err != nil || !slices.Contains(p.o.Sites, back.Scheme+"://"+back.Host) {
		return nil, errors.New("this address leads back to no site that is known here")
	}
	amount, err := strconv.ParseInt(q.Get("amount"), 10, 64)
	if err != nil || amount <= 0 || q.Get("order") == "" {
		return nil, errors.New("this address names no order")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.orders[q.Get("order")]; o != nil {
		return o, nil
	}
	if len(p.orders) >= maxOrders {
		clear(p.orders)
	}
	o := &order{ID: q.Get("order"), Case: q.Get("case"), Currency: q.Get("currency"), Back: back.String(), Amount: amount, Lang: q.Get("lang"), at: p.o.Now()}
	p.orders[o.ID] = o
	return o, nil
}

// Run serves the provider until ctx ends, and prints a line beginning "ready" when
// it answers.
func Run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("payment", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:8191", "address to answer on, of this machine")
	secret := f.String("secret", "", "the secret shared with the site")
	notify := f.String("notify", "http://127.0.0.1:8080/payments/demo/notifications", "the site's address for messages")
	sites := f.String("site", "http://127.0.0.1:8080,http://localhost:8080", "addresses of the site, with commas between")
	if err := f.Parse(args); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(*listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return errors.New("--listen must be an address of this machine such as 127.0.0.1:8191: anybody may say here that they paid")
	}
	p, err := New(ctx, Options{Secret: *secret, Notify: *notify, Sites: strings.Split(*sites, ",")})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	srv := &http.Server{Handler: p.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		srv.Shutdown(end)
	}()
	fmt.Fprintf(out, "ready payment on http://%s\n", l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
