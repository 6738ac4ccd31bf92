package tracing

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Settings say where spans go. The zero Settings are those of no tracing.
type Settings struct {
	Endpoint string // address to which batches are POSTed, with its path; empty: off
	Headers  map[string]string
	CA       string // PEM file of authorities for an https endpoint; empty: the system's
	// Share is the part of new traces that is recorded, from 0 to 1. Unset is 1.
	Share    float64
	ShareSet bool
	// Alone decides by the share also where a trace has begun elsewhere.
	Alone bool

	Queue   int           // spans waiting; 2048
	Batch   int           // spans sent at once; 512
	Every   time.Duration // between batches that are not full; 5 s
	Timeout time.Duration // of one POST; 10 s

	// Resource says who sends, as attributes of OpenTelemetry.
	Resource []Attr
}

func (s *Settings) defaults() {
	if !s.ShareSet {
		s.Share, s.ShareSet = 1, true
	}
	if s.Queue == 0 {
		s.Queue = 2048
	}
	if s.Batch == 0 {
		s.Batch = min(512, s.Queue)
	}
	if s.Every == 0 {
		s.Every = 5 * time.Second
	}
	if s.Timeout == 0 {
		s.Timeout = 10 * time.Second
	}
}

// Bounds of settings: the queue is memory of the gateway's process.
const (
	maxQueue   = 1 << 16
	maxHeaders = 32
)

// Check tells whether the settings can be followed.
func (s *Settings) Check() error {
	if s.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("the collector's address is no http address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the collector's address holds a name, a query or a fragment: credentials go into headers")
	case s.ShareSet && !(s.Share >= 0 && s.Share <= 1):
		return errors.New("the share of traces is not between 0 and 1")
	case s.Queue < 0 || s.Queue > maxQueue || s.Batch < 0 || s.Batch > max(s.Queue, 2048):
		return fmt.Errorf("the queue is longer than %d, or the batch longer than the queue", maxQueue)
	case s.Every < 0 || s.Timeout < 0:
		return errors.New("a time is negative")
	case len(s.Headers) > maxHeaders:
		return fmt.Errorf("more than %d headers", maxHeaders)
	}
	for name, v := range s.Headers {
		if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(v, "\r\n\x00") {
			return errors.New("a header can't be written")
		}
	}
	return nil
}

func (s *Settings) client() (*http.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		b, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, fmt.Errorf("the collector's authorities: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("the collector's authorities: %s holds no certificate", s.CA)
		}
	}
	return &http.Client{Timeout: s.Timeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
		MaxResponseHeaderBytes: 64 << 10},
		// A redirect would carry the headers, which may hold a secret, elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// FromEnvironment brings the variables of the OpenTelemetry specification over the
// settings; one that is set wins. A value that can't be followed is an error.
func (s *Settings) FromEnvironment(get func(string) string) error {
	var errs []error
	first := func(names ...string) string {
		for _, n := range names {
			if v := strings.TrimSpace(get("OTEL_" + n)); v != "" {
				return v
			}
		}
		return ""
	}
	number := func(to *int, name string) {
		if v := first(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 {
				errs = append(errs, fmt.Errorf("OTEL_%s is no number", name))
				return
			}
			*to = n
		}
	}
	millis := func(to *time.Duration, names ...string) {
		if v := first(names...); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil || n <= 0 || n > 3_600_000 {
				errs = append(errs, fmt.Errorf("OTEL_%s is no number of milliseconds", names[len(names)-1]))
				return
			}
			*to = time.Duration(n) * time.Millisecond
		}
	}
	if v := first("EXPORTER_OTLP_TRACES_ENDPOINT"); v != "" {
		s.Endpoint = v
	} else if v := first("EXPORTER_OTLP_ENDPOINT"); v != "" {
		s.Endpoint = strings.TrimSuffix(v, "/") + "/v1/traces"
	}
	if v := first("EXPORTER_OTLP_TRACES_CERTIFICATE", "EXPORTER_OTLP_CERTIFICATE"); v != "" {
		s.CA = v
	}
	if v := first("EXPORTER_OTLP_TRACES_HEADERS", "EXPORTER_OTLP_HEADERS"); v != "" {
		list, err := pairs(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err))
		}
		s.Headers = map[string]string{}
		for _, a := range list {
			s.Headers[a.Key] = a.Text
		}
	}
	if v := first("RESOURCE_ATTRIBUTES"); v != "" {
		list, err := pairs(v)
		if err != nil {
			errs = append(errs, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err))
		}
		for _, a := range list {
			s.Resource = with(s.Resource, a)
		}
	}
	if v := first("SERVICE_NAME"); v != "" {
		s.Resource = with(s.Resource, Attr{Key: "service.name", Text: v})
	}
	number(&s.Queue, "BSP_MAX_QUEUE_SIZE")
	number(&s.Batch, "BSP_MAX_EXPORT_BATCH_SIZE")
	millis(&s.Every, "BSP_SCHEDULE_DELAY")
	millis(&s.Timeout, "EXPORTER_OTLP_TRACES_TIMEOUT", "EXPORTER_OTLP_TIMEOUT")
	errs = append(errs, s.sampler(first("TRACES_SAMPLER"), first("TRACES_SAMPLER_ARG")))
	switch v := first("EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_PROTOCOL"); v {
	case "", "http/json":
	default:
		errs = append(errs, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q: this program speaks http/json", v))
	}
	if strings.EqualFold(first("SDK_DISABLED"), "true") || first("TRACES_EXPORTER") == "none" {
		s.Endpoint = ""
	}
	if s.Endpoint == "" {
		return nil // what is said of traces to others on this machine is no fault of ours
	}
	return errors.Join(errs...)
}

func (s *Settings) sampler(name, arg string) error {
	if name == "" {
		return nil
	}
	rest, follows := strings.CutPrefix(name, "parentbased_")
	s.Alone, s.ShareSet = !follows, true
	switch rest {
	case "always_on":
		s.Share = 1
	case "always_off":
		s.Share = 0
	case "traceidratio":
		s.Share = 1
		if arg != "" {
			v, err := strconv.ParseFloat(arg, 64)
			if err != nil || !(v >= 0 && v <= 1) {
				return errors.New("OTEL_TRACES_SAMPLER_ARG is not between 0 and 1")
			}
			s.Share = v
		}
	default:
		return fmt.Errorf("OTEL_TRACES_SAMPLER is %q, which is not known", name)
	}
	return nil
}

// pairs reads a list of key=value, percent-encoded, as the variables have it.
func pairs(s string) ([]Attr, error) {
	var out []Attr
	for _, p := range strings.Split(s, ",") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		k, v, ok := strings.Cut(p, "=")
		v, err := url.PathUnescape(strings.TrimSpace(v))
		if k = strings.TrimSpace(k); !ok || err != nil || k == "" {
			return nil, errors.New("it goes key=value,key=value") // a value may be a secret: it is not repeated
		}
		out = append(out, Attr{Key: k, Text: v})
		if len(out) > maxHeaders {
			return nil, fmt.Errorf("more than %d of them", maxHeaders)
		}
	}
	return out, nil
}

// with replaces an attribute, or adds it.
func with(list []Attr, a Attr) []Attr {
	for i := range list {
		if list[i].Key == a.Key {
			list[i] = a
			return list
		}
	}
	return append(list, a)
}
