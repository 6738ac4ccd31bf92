package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"testing"
)

// programRSS is how many kilobytes of the program's own file are mapped unchanged.
func programRSS(t *testing.T) (kb int) {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own := false
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			own = len(fields) == 6 && fields[5] == name && !strings.Contains(fields[1], "w")
		case own && fields[0] == "Rss:":
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			kb += n
		}
	}
	return kb
}

// What only the setting up of packages has touched is given back, and all of it is
// there when it is needed.
func TestLetGoOfProgram(t *testing.T) {
	before := programRSS(t)
	letGoOfProgram()
	after := programRSS(t)
	t.Logf("%d kB of the program, then %d kB", before, after)
	if before == 0 || after >= before {
		t.Errorf("%d kB of the program, then %d kB", before, after)
	}
	if b, err := os.ReadFile("/proc/self/comm"); err != nil || len(b) == 0 {
		t.Error("the program does not go on")
	}
}
