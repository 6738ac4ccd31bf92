//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"diwan/internal/db/dbtest"
)

// journeyWords are what the journey's people write, in their languages.
type journeyWords struct {
	Text     string `json:"text"`
	Question string `json:"question"`
	Reason   string `json:"reason"`
}

// journey is what the people of a journey bring: a browser, words, answers, a file.
type journey struct {
	Words    map[string]journeyWords `json:"words"`
	Answers  [][2]string             `json:"answers"`
	chromium string
	scripts  string
	file     string
}

// newJourney reads it. Without Chromium, the npm packages of the browser tests and what
// else is needed the test is skipped on a developer's machine and goes on, to fail,
// where everything must run.
func newJourney(t *testing.T, needs ...string) *journey {
	t.Helper()
	if testing.Short() {
		t.Skip("the journey takes a minute")
	}
	j := &journey{chromium: os.Getenv("DIWAN_TEST_CHROMIUM"), scripts: filepath.Join("..", "..", "internal", "app", "browser")}
	if j.chromium == "" {
		j.chromium = "/usr/bin/chromium"
	}
	for _, need := range append(needs, j.chromium, filepath.Join(j.scripts, "node_modules", "playwright-core")) {
		if _, err := os.Stat(need); err != nil && os.Getenv("CI") == "" {
			t.Skip("the journey needs Chromium, the npm packages of the browser tests and poppler-utils: ", err)
		}
	}
	b, err := os.ReadFile(filepath.Join("testdata", "casework.json"))
	if err == nil {
		err = json.Unmarshal(b, j)
	}
	if err == nil {
		j.file, err = filepath.Abs(filepath.Join("testdata", "plan.pdf"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// each makes the journey in Arabic on SQLite and in French on PostgreSQL, each in a
// demonstration of its own. run runs one of the browser's scripts with what it is told
// besides.
func (j *journey) each(t *testing.T, make func(t *testing.T, run func(script string, more map[string]any))) {
	for _, at := range []struct{ lang, database string }{{"ar", ""}, {"fr", os.Getenv("DIWAN_TEST_POSTGRES")}} {
		t.Run(at.lang, func(t *testing.T) {
			t.Parallel()
			var more []string
			if at.database != "" {
				more = []string{"--database", dbtest.Postgres(t, nil).URL()}
			}
			demo := startDemo(t, more...)
			make(t, func(script string, more map[string]any) {
				t.Helper()
				told := map[string]any{"base": demo.portal, "chromium": j.chromium, "lang": at.lang, "file": j.file, "words": j.Words[at.lang], "answers": j.Answers}
				maps.Copy(told, more)
				input, err := json.Marshal(told)
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), "node", script)
				cmd.Dir, cmd.Stdin = j.scripts, bytes.NewReader(input)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			})
		})
	}
}
