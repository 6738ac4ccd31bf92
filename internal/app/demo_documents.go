package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"diwan/internal/gazette"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// trialLine stands over every document that somebody adds to try things out, in
// the text itself, besides the label on its page.
const trialLine = "demo.document.label"

// Bounds of a trial document.
const (
	maxTrialTitle = 300
	maxTrialText  = 200_000
)

// registerDemoDocuments lets a demonstration's guests add documents that search
// can see, and remove them.
func (a *App) registerDemoDocuments(mux *http.ServeMux) {
	if a.Gazette == nil {
		return
	}
	var one sync.Mutex // two at once would not know of each other's works
	handle := func(fn func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			one.Lock()
			defer one.Unlock()
			if err := fn(w, r); err != nil {
				a.Site.Fail(w, a.Site.WithLang(r), err)
			}
		}
	}
	mux.HandleFunc("POST /demo/documents", handle(a.addTrial))
	mux.HandleFunc("DELETE /demo/documents/{id}", handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := a.Gazette.Remove(r.Context(), operator, r.PathValue("id")); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
}

func (a *App) addTrial(w http.ResponseWriter, r *http.Request) error {
	var in struct{ Title, Text, Lang string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return problem.Wrap(err, problem.Invalid, "demo.document")
	}
	in.Title, in.Text = strings.TrimSpace(strings.ToValidUTF8(in.Title, "")), strings.TrimSpace(strings.ToValidUTF8(in.Text, ""))
	if _, known := a.Country.Language(gov.Lang(in.Lang)); !known || in.Title == "" || in.Text == "" || len(in.Title) > maxTrialTitle || len(in.Text) > maxTrialText {
		return problem.New(problem.Invalid, "demo.document")
	}
	// Its own id stands in the text, so that the same words can be added twice.
	label := a.Site.Words.Printer(in.Lang).T(trialLine, "id", gov.NewID()[:8])
	data := []byte(in.Title + "\n\n" + in.Text + "\n\n" + label + "\n")
	report, err := a.Gazette.Import(r.Context(), []gazette.Input{{Name: "trial.txt", Title: in.Title, Demo: true, Open: func() ([]byte, error) { return data, nil }}},
		gazette.ImportOptions{Actor: operator, Workers: 1})
	if err != nil {
		return err
	}
	if report.Failed > 0 || report.Texts == 0 {
		return problem.New(problem.Invalid, "demo.document")
	}
	id, texts, works, err := a.Gazette.SourceOf(r.Context(), data)
	if err != nil {
		return err
	}
	var list []string
	for _, t := range texts {
		if works[t.Work] != nil {
			list = append(list, t.Work)
		}
	}
	w.Header().Set("Location", "/demo/documents/"+id)
	writeJSON(w, map[string]any{"id": id, "works": list})
	return nil
}
