// Package gateway is a sample of an operator's gateway for short messages: it takes
// them and keeps them in memory, to be looked at. Nothing leaves it.
package gateway

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"sync"
)

// Message is what was handed over.
type Message struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// kept bounds the messages in memory.
const kept = 1000

var number = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Gateway takes messages at POST /messages and lists them at GET /messages.
type Gateway struct {
	token string

	mu   sync.Mutex
	list []Message
}

// New returns a gateway that believes whoever shows the token.
func New(token string) *Gateway { return &Gateway{token: token} }

// Messages returns those that are kept, the oldest first.
func (g *Gateway) Messages() []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.list)
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+g.token)) != 1 {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	switch {
	case r.URL.Path != "/messages":
		http.NotFound(w, r)
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(g.Messages())
	case r.Method == http.MethodPost:
		g.take(w, r)
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
	}
}

func (g *Gateway) take(w http.ResponseWriter, r *http.Request) {
	var m Message
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<10)).Decode(&m)
	if err != nil || m.ID == "" || m.Text == "" || !number.MatchString(m.To) {
		http.Error(w, "a message is {\"id\",\"to\":\"+…\",\"text\"}", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.ContainsFunc(g.list, func(x Message) bool { return x.ID == m.ID }) {
		g.list = append(g.list, m)
		if len(g.list) > kept {
			g.list = slices.Delete(g.list, 0, len(g.list)-kept)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}
