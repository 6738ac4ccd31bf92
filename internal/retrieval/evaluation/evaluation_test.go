package evaluation

import (
	"strings"
	"testing"
)

func TestMissingSetsAreNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := FindSets(); err == nil || !strings.Contains(err.Error(), "--data DIR") {
		t.Error(err)
	}
	if _, err := Run("nowhere", false); err == nil {
		t.Error("no sets, no error")
	}
}
