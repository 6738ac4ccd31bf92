// Package land is a sample land registry: an old system that only drops a CSV file
// into a folder every night, and the adapter that answers from the newest drop. Its
// titles are invented.
package land

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

//go:embed titles.csv
var titlesFile []byte

//go:embed openapi.json
var OpenAPI []byte

const fileName = "titles.csv"

// Drop writes the file as the old system does: beside it first, then in its place,
// so that nobody reads half of it.
func Drop(dir string) error {
	if dir == "" {
		return errors.New("say where with --dir")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp := filepath.Join(dir, "."+fileName)
	if err := os.WriteFile(tmp, titlesFile, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, fileName))
}

type title struct {
	Number   string `json:"number"`
	Property string `json:"property"`
	Owner    string `json:"owner"`
	Area     string `json:"area_m2"`
	Charges  string `json:"charges"`
	AsOf     string `json:"as_of"` // of the drop: who decides must know how old it is
	Sample   bool   `json:"sample"`
}

// adapter keeps the newest drop in memory.
type adapter struct {
	dir string

	mu     sync.Mutex
	read   time.Time // the drop's own time
	titles map[string]title
}

// Adapter returns the REST interface over the drops in a folder: GET
// /v1/titles/{number}.
func Adapter(dir string) http.Handler {
	a := &adapter{dir: dir}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/titles/{number}", a.get)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(OpenAPI)
	})
	return mux
}

var numberForm = regexp.MustCompile(`^[0-9]{1,8}-[0-9]{1,3}$`)

func (a *adapter) get(w http.ResponseWriter, r *http.Request) {
	if !numberForm.MatchString(r.PathValue("number")) {
		answer(w, http.StatusBadRequest, map[string]string{"error": "a title is written number-district, such as 1234-20"})
		return
	}
	titles, err := a.newest()
	if err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "there is no file of titles, or it can't be read"})
		return
	}
	t, ok := titles[r.PathValue("number")]
	if !ok {
		answer(w, http.StatusNotFound, map[string]string{"error": "no such title"})
		return
	}
	answer(w, http.StatusOK, t)
}

// maxFile bounds a drop.
const maxFile = 512 << 20

// newest reads the file again when it has changed. A broken new file leaves the
// one before in use: an answer of yesterday beats none, and says its age.
func (a *adapter) newest() (map[string]title, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := filepath.Join(a.dir, fileName)
	info, err := os.Stat(name)
	if err != nil {
		return a.titles, a.unlessKept(err)
	}
	if info.ModTime().Equal(a.read) {
		return a.titles, nil
	}
	if info.Size() > maxFile {
		return a.titles, a.unlessKept(errors.New("too large"))
	}
	b, err := os.ReadFile(name)
	if err == nil {
		var titles map[string]title
		if titles, err = parse(b, info.ModTime()); err == nil {
			a.titles, a.read = titles, info.ModTime()
		}
	}
	return a.titles, a.unlessKept(err)
}

func (a *adapter) unlessKept(err error) error {
	if a.titles != nil {
		return nil
	}
	return err
}

func parse(b []byte, at time.Time) (map[string]title, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma = ';'
	r.FieldsPerRecord = 5
	if _, err := r.Read(); err != nil {
		return nil, fmt.Errorf("the heading: %w", err)
	}
	out := map[string]title{}
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out[f[0]] = title{f[0], f[1], f[2], f[3], f[4], at.UTC().Format(time.RFC3339), true}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
