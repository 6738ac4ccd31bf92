package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// start runs a sample and returns its address.
func start(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := Run(ctx, args, w)
		w.CloseWithError(io.EOF)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, r)
	return strings.TrimSpace(line[strings.Index(line, "http://"):])
}

func get(t *testing.T, address string) (int, map[string]any) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, v
}

// The three samples answer, the two old systems through their adapters.
func TestSamples(t *testing.T) {
	civil := start(t, "civil")
	legacy := start(t, "social")
	social := start(t, "social-adapter", "--legacy", legacy+"/soap")
	dir := t.TempDir()
	land := start(t, "land-adapter", "--dir", dir)
	if status, _ := get(t, land+"/v1/titles/1234-20"); status != http.StatusServiceUnavailable {
		t.Errorf("before the first drop: %d", status)
	}
	if err := Run(t.Context(), []string{"land-drop", "--dir", dir}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int{
		civil + "/v1/acts/1990-000123":       200,
		civil + "/v1/acts/none":              404,
		social + "/v1/affiliations/10020030": 200,
		social + "/v1/affiliations/99999999": 404,
		social + "/v1/affiliations/%3Cx%3E":  400,
		land + "/v1/titles/1234-20":          200,
		land + "/v1/titles/9-9":              404,
		land + "/v1/titles/..%2Fetc":         400,
	} {
		status, v := get(t, address)
		if status != want || want == 200 && v["sample"] != true {
			t.Errorf("%s: %d %v", address, status, v)
		}
	}
	// A broken drop leaves the answers of the one before.
	name := filepath.Join(dir, "titles.csv")
	if err := os.WriteFile(name, []byte("half;a;li"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if status, _ := get(t, land+"/v1/titles/1234-20"); status != http.StatusOK {
		t.Errorf("after a broken drop: %d", status)
	}
	if err := Run(t.Context(), []string{"nobody"}, io.Discard); err == nil {
		t.Error("a sample that does not exist was started")
	}
}
