package app

import (
	"context"
	"net/http"
	"strconv"

	"diwan/internal/app/demogazette"
	"diwan/internal/gazette"
	"diwan/internal/problem"
)

// addDemoGazette brings the first issues of the invented gazette in, when they
// are not there. It is written in the languages and the formulas of the built-in
// country; another country's demonstration goes without it.
func (a *App) addDemoGazette(ctx context.Context) error {
	if a.Gazette == nil || a.Config.Country != "" {
		return nil
	}
	var missing []gazette.Input
	for _, in := range demogazette.Inputs() {
		data, err := in.Open()
		if err != nil {
			return err
		}
		held, err := a.Gazette.Held(ctx, data)
		if err != nil {
			return err
		}
		if !held {
			missing = append(missing, in)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err := a.Gazette.Import(ctx, missing, gazette.ImportOptions{Actor: operator, Workers: 1})
	return err
}

// registerDemoGazette adds the files of the invented gazette to the trial
// addresses, for those who want to upload one.
func (a *App) registerDemoGazette(mux *http.ServeMux) {
	mux.HandleFunc("GET /demo/gazette/{file}", func(w http.ResponseWriter, r *http.Request) {
		b, ok := demogazette.PDF(r.PathValue("file"))
		if !ok {
			a.Site.Fail(w, a.Site.WithLang(r), problem.New(problem.NotFound, "page.not_found"))
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/pdf")
		h.Set("Content-Length", strconv.Itoa(len(b)))
		h.Set("Content-Disposition", `attachment; filename="`+r.PathValue("file")+`"`)
		w.Write(b)
	})
}

// demoGazette describes the invented gazette in /demo.json.
func demoGazette(base string) map[string]any {
	var files []map[string]any
	for _, e := range demogazette.Editions {
		files = append(files, map[string]any{"name": e.Name, "lang": e.Lang, "loaded": e.Loaded, "scanned": e.Scanned, "pdf": base + "/demo/gazette/" + e.Name + ".pdf"})
	}
	return map[string]any{"upload": base + "/demo/gazette/" + demogazette.ToUpload, "editions": files}
}
