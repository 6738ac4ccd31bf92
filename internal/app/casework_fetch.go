package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// evidenceSource is a data service by which a document is fetched, or, without a path,
// the name under which forms speak of a document that a wallet alone can show.
type evidenceSource struct {
	// From is the administration that holds what the service gives; without one no
	// form is built on it here.
	From string `json:"from"`
	// Type is the type of document for which alone it stands; empty is any.
	Type string `json:"type"`
	// Path is that of the service, with "{name}" where an answer of the form goes.
	Path string `json:"path"`
	// Replace is what the service writes otherwise than people do.
	Replace map[string]string `json:"replace"`
	// Wallet is the document that says the same; nil where there is none.
	Wallet *walletDocument `json:"wallet"`
	Fields []struct {
		Name  string   `json:"name"`
		Label gov.Text `json:"label"`
	} `json:"fields"`
}

// exchangeFetcher fetches documents through the gateway of the administration that
// asks.
type exchangeFetcher struct {
	sources   map[string]evidenceSource
	edge      func() (address, client string)
	reference func(ctx context.Context, account string) (string, error)
	http      *http.Client
}

// fetcher returns the way to other administrations, nil where none is configured.
func (a *App) fetcher(sources map[string]evidenceSource) casework.Fetcher {
	edge := func() (string, string) { return a.Config.ExchangeEdge, a.Config.ExchangeClient }
	if a.Config.Demo && a.Config.ExchangeEdge == "" {
		// The gateways are prepared after the portal answers.
		edge = func() (string, string) {
			s, err := readSetup(filepath.Join(a.Config.Data, "exchange"))
			if err != nil || len(s.Nodes) == 0 {
				return "", ""
			}
			return s.Nodes[0].Edge, s.Client
		}
	} else if a.Config.ExchangeEdge == "" {
		return nil
	}
	return &exchangeFetcher{sources, edge, a.personReference, &http.Client{Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Bounds of a fetched document.
const (
	fetchTimeout = 10 * time.Second
	maxFetched   = 256 << 10
	maxValue     = 1000
)

// Fetch implements casework.Fetcher.
func (f *exchangeFetcher) Fetch(ctx context.Context, c casework.Call) (casework.Copy, error) {
	source, ok := f.sources[c.Service]
	edge, client := f.edge()
	if !ok || edge == "" {
		return casework.Copy{}, problem.New(problem.Unavailable, "evidence.no_exchange")
	}
	path, err := source.fill(c.Answers)
	if err != nil {
		return casework.Copy{}, err
	}
	subject, err := f.reference(ctx, c.Person)
	if err != nil {
		return casework.Copy{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(edge, "/")+"/r1/"+c.Service+path, nil)
	if err != nil {
		return casework.Copy{}, err
	}
	r.Header.Set("X-Road-Client", client)
	r.Header.Set("X-Road-Id", c.ID)
	r.Header.Set("X-Road-UserId", "subject:"+subject) // so that the person reads of it
	r.Header.Set("Accept", "application/json")
	resp, err := f.http.Do(r)
	if err != nil {
		return casework.Copy{}, fmt.Errorf("asking %s: %w", c.Service, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFetched+1))
	switch {
	case err != nil:
		return casework.Copy{}, fmt.Errorf("asking %s: %w", c.Service, err)
	case resp.StatusCode == http.StatusNotFound:
		return casework.Copy{}, problem.New(problem.NotFound, "evidence.unknown")
	case resp.StatusCode != http.StatusOK || len(body) > maxFetched:
		return casework.Copy{}, fmt.Errorf("asking %s: status %d, %d bytes", c.Service, resp.StatusCode, len(body))
	}
	out, err := source.read(body, c.Fields)
	out.Exchange = resp.Header.Get("X-Road-Request-Id")
	return out, err
}

// asks names the answers that the path needs.
func (s evidenceSource) asks() (out []string) {
	for rest := s.Path; ; {
		_, after, ok := strings.Cut(rest, "{")
		name, more, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return out
		}
		out, rest = append(out, name), more
	}
}

// fill writes the answers of the form into the path, each as one segment.
func (s evidenceSource) fill(a form.Answers) (string, error) {
	out := s.Path
	for {
		i := strings.IndexByte(out, '{')
		j := strings.IndexByte(out, '}')
		if i < 0 || j < i {
			return out, nil
		}
		v, _ := a.Get(out[i+1 : j]).(string)
		if v == "" {
			return "", problem.New(problem.Invalid, "evidence.unknown")
		}
		for from, to := range s.Replace {
			v = strings.ReplaceAll(v, from, to)
		}
		out = out[:i] + url.PathEscape(v) + out[j+1:]
	}
}

// read takes out of an answer what the person allowed, under the names that people
// read.
func (s evidenceSource) read(body []byte, fields []string) (casework.Copy, error) {
	var got map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		return casework.Copy{}, errors.New("the answer is not a JSON object")
	}
	var out casework.Copy
	out.Sample, _ = got["sample"].(bool)
	allowed := map[string]bool{}
	for _, f := range fields {
		allowed[f] = true
	}
	for _, f := range s.Fields {
		v, ok := got[f.Name]
		if !ok || !allowed[f.Name] {
			continue
		}
		text := fmt.Sprint(v)
		if len(text) > maxValue {
			return casework.Copy{}, fmt.Errorf("%s is longer than %d bytes", f.Name, maxValue)
		}
		out.Values = append(out.Values, casework.Value{Label: f.Label, Text: form.Clean(text, false)})
	}
	if len(out.Values) == 0 {
		return casework.Copy{}, errors.New("the answer has nothing of what was asked for")
	}
	return out, nil
}

// unfetched tells of documents that no data service gives.
func (p caseworkPlan) unfetched(service string) bool {
	s, ok := p.Sources[service]
	return ok && s.Path == ""
}

// fieldLabel says what a field of a data service means to people; one that nobody
// described is named as the service names it.
func (p caseworkPlan) fieldLabel(service, field string) gov.Text {
	for _, f := range p.Sources[service].Fields {
		if f.Name == field {
			return f.Label
		}
	}
	return gov.Text{"": field}
}
