package journal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the fuzz seeds anew")

// TestSeeds writes what the fuzz targets begin with.
func TestSeeds(t *testing.T) {
	if !*update {
		t.Skip("with -update")
	}
	_, path := made(t, 3)
	b, at := offsets(t, path)
	records := b[headerSize:at[3]]
	torn := append([]byte{}, records[:len(records)-20]...)
	edited := append([]byte{}, records...)
	edited[60] ^= 1
	for name, seed := range map[string][]byte{"FuzzSegment/three": records, "FuzzSegment/torn": torn, "FuzzSegment/edited": edited,
		"FuzzSegment/gap": append(append([]byte{}, b[at[0]:at[1]]...), b[at[2]:at[3]]...), "FuzzRecord/message": b[at[0]:at[1]]} {
		to := filepath.Join("testdata/fuzz", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", seed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
