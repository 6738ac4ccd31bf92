// Package civil is a sample civil registry with a REST interface described by
// OpenAPI. Its people are invented.
package civil

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

//go:embed acts.json
var actsFile []byte

//go:embed openapi.json
var OpenAPI []byte

// act is an act of birth.
type act struct {
	Number  string            `json:"number"`
	Name    map[string]string `json:"name"`
	Sex     string            `json:"sex"`
	Birth   birth             `json:"birth"`
	Parents []parent          `json:"parents"`
	Notes   []string          `json:"notes,omitempty"`
	Sample  bool              `json:"sample"` // invented
}

type birth struct {
	Date  string            `json:"date"`
	Place map[string]string `json:"place"`
}

type parent struct {
	Name map[string]string `json:"name"`
}

// registry holds the acts in memory: what is registered in the demonstration is
// gone with it.
type registry struct {
	events string

	mu    sync.Mutex
	acts  map[string]act
	calls int
}

// New returns the registry's interface. Events are sent to an address, if one is
// given, as CloudEvents.
func New(events string) (http.Handler, error) {
	var list []act
	if err := json.Unmarshal(actsFile, &list); err != nil {
		return nil, fmt.Errorf("the sample acts: %w", err)
	}
	r := &registry{events: events, acts: map[string]act{}}
	for _, a := range list {
		r.acts[a.Number] = a
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/acts/{number}", r.get)
	mux.HandleFunc("POST /v1/acts", r.post)
	mux.HandleFunc("GET /v1/count", r.count)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(OpenAPI)
	})
	return mux, nil
}

func (r *registry) get(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	a, ok := r.acts[req.PathValue("number")]
	r.mu.Unlock()
	if !ok {
		answer(w, http.StatusNotFound, map[string]string{"error": "no such act"})
		return
	}
	answer(w, http.StatusOK, a)
}

// maxAct bounds what is registered.
const maxAct = 64 << 10

func (r *registry) post(w http.ResponseWriter, req *http.Request) {
	var a act
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxAct)).Decode(&a); err != nil || len(a.Name) == 0 || a.Birth.Date == "" {
		answer(w, http.StatusBadRequest, map[string]string{"error": "an act needs a name and a date of birth"})
		return
	}
	r.mu.Lock()
	r.calls++
	a.Number, a.Sample = fmt.Sprintf("%s-9%05d", a.Birth.Date[:min(4, len(a.Birth.Date))], r.calls), true
	r.acts[a.Number] = a
	r.mu.Unlock()
	go r.tell(context.WithoutCancel(req.Context()), a.Number)
	answer(w, http.StatusCreated, a)
}

// count tells how many acts were registered, so that a test can see that nothing
// was done twice.
func (r *registry) count(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer(w, http.StatusOK, map[string]int{"registered": r.calls})
}

// tell publishes that an act was registered. The gateway keeps what it took; an
// event that it did not take is lost here, as in many a real system.
func (r *registry) tell(ctx context.Context, number string) {
	if r.events == "" {
		return
	}
	body, err := json.Marshal(map[string]any{"specversion": "1.0", "id": "act-" + number, "source": "urn:sample:civil-registry", "type": "birth.registered",
		"subject": number, "time": time.Now().UTC().Format(time.RFC3339), "datacontenttype": "application/json", "data": map[string]any{"number": number, "sample": true}})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.events, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
