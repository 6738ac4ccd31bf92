package cpsv

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The whole starter catalogue conforms to the shapes of the standard. No engine
// for shapes exists in Go, so the check runs in Node.
func TestStarterConformsToShapes(t *testing.T) {
	shapes := shared(t, "schemas", "cpsv-ap", "cpsv-ap-SHACL.ttl")
	give := t.Skipf
	if os.Getenv("CI") != "" {
		give = t.Fatalf // the shapes are here, so the check may not be left out
	}
	node, err := exec.LookPath("node")
	if err != nil {
		give("node is not installed: %v", err)
	}
	if _, err := os.Stat("shacl/node_modules"); err != nil {
		give("run npm ci in internal/catalogue/cpsv/shacl first: %v", err)
	}
	file := filepath.Join(t.TempDir(), "catalogue.ttl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Export(starter(t)).WriteTurtle(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(node, "shacl/validate.mjs", shapes, file).Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%v\n%s", err, e.Stderr)
		}
		t.Fatal(err)
	}
	var report struct {
		Statements int
		Conforms   bool
		Violations []map[string]any
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Violations {
		t.Errorf("violation: %v", v)
	}
	if !report.Conforms || report.Statements < 1000 {
		t.Errorf("conforms %v over %d statements", report.Conforms, report.Statements)
	}
	t.Logf("%d statements conform", report.Statements)
}
