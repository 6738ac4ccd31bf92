package upload

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
)

// eicar is the test string of virus scanners, put together here so that no scanner
// takes this file for it.
func eicar() []byte {
	b := []byte(`*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X`)
	slices.Reverse(b)
	return b
}

var buildScanner = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "diwan-scanner")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "scanner")
	out, err := exec.Command("go", "build", "-o", bin, "diwan/examples/scanner").CombinedOutput()
	return bin, errors.Join(err, textError(out))
})

func textError(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	return errors.New(string(b))
}

func TestMain(m *testing.M) {
	if os.Getenv("DIWAN_INSPECT_PDF") != "" {
		os.Exit(InspectMain(os.Stdin))
	}
	code := m.Run()
	if bin, err := buildScanner(); err == nil {
		_ = os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// startScanner runs the example scanner and returns its address and what ends it.
func startScanner(t *testing.T, listen string, args ...string) (address string, stop func()) {
	t.Helper()
	bin, err := buildScanner()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(bin, append([]string{"-listen", listen}, args...)...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() { _ = c.Process.Kill(); _ = c.Wait() })
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), stop
}

func clamd(t *testing.T, address string) *Clamd {
	t.Helper()
	c, err := NewClamd(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestScannerFindsTheTestVirus(t *testing.T) {
	for _, listen := range []string{"tcp:127.0.0.1:0", "unix:" + filepath.Join(t.TempDir(), "s")} {
		address, _ := startScanner(t, listen)
		w := newWorld(t, dbtest.SQLite(t, sets), clamd(t, address))
		f := w.receive(t, salma, "good.txt", []byte("good"))
		if f.State != Clean {
			t.Errorf("state %s", f.State)
		}
		long := append(bytes.Repeat([]byte("x"), 32<<10-30), eicar()...) // across two chunks
		for _, b := range [][]byte{eicar(), long} {
			if _, err := w.Receive(context.Background(), salma, "bad.txt", bytes.NewReader(b)); codeOf(err) != codeInfected {
				t.Errorf("infected: %v", err)
			}
		}
		if w.blobs.count() != 1 {
			t.Errorf("%d contents", w.blobs.count())
		}
	}
}

// A scanner that is away holds files and nobody else; when it is back, they are
// looked at, and an infected one is put aside and its owner told, once.
func TestScannerAwayAndBack(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		address, stop := startScanner(t, "unix:"+filepath.Join(t.TempDir(), "s"))
		stop()
		w := newWorld(t, d, clamd(t, address))
		var told []string
		w.Tell = func(_ context.Context, _ *db.Tx, f File) error {
			told = append(told, f.Case+" "+f.Name+" "+f.Reason)
			return nil
		}
		good, bad := w.receive(t, salma, "good.txt", []byte("good")), w.receive(t, salma, "bad.txt", eicar())
		if good.State != Held || bad.State != Held {
			t.Fatalf("%s, %s", good.State, bad.State)
		}
		if _, err := w.Open(ctx, good); codeOf(err) != "upload.held" {
			t.Errorf("a held file was opened: %v", err)
		}
		if err := w.DB.RunTx(ctx, func(tx *db.Tx) error { return w.Take(ctx, tx, "d1", "c1") }); err != nil {
			t.Fatal("the case was held: ", err)
		}
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(address, "unix:")
		_ = os.Remove(path)
		startScanner(t, "unix:"+path)
		if err := w.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		w.clock.move(time.Hour)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := w.Sweep(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := w.OfCase(ctx, "c1")
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		for _, f := range list {
			want := map[string]State{"good.txt": Clean, "bad.txt": Quarantined}[f.Name]
			if f.State != want {
				t.Errorf("%s is %s", f.Name, f.State)
			}
			if f.Name == "good.txt" && string(w.content(t, f)) != "good" {
				t.Error("the content changed")
			}
			if f.Name == "bad.txt" && (len(f.sealedKey) > 0 || f.blob != "") {
				t.Error("an infected content is still there")
			}
		}
		if len(told) != 1 || told[0] != "c1 bad.txt "+codeInfected {
			t.Errorf("told %q", told)
		}
		if w.blobs.count() != 1 {
			t.Errorf("%d contents", w.blobs.count())
		}
	})
}

func TestSlowScannerHoldsTheFile(t *testing.T) {
	address, _ := startScanner(t, "tcp:127.0.0.1:0", "-slow", "1m")
	c := clamd(t, address)
	c.timeout = 200 * time.Millisecond
	w := newWorld(t, dbtest.SQLite(t, sets), c)
	if f := w.receive(t, salma, "a.txt", []byte("a")); f.State != Held {
		t.Errorf("state %s", f.State)
	}
	c.timeout = 10 * time.Minute // whoever waited for the scanner now would get its word
	if f := w.receive(t, salma, "b.txt", []byte("b")); f.State != Held {
		t.Errorf("the next waited: state %s", f.State)
	}
}

func TestScannerThatTakesNoLongContents(t *testing.T) {
	address, _ := startScanner(t, "tcp:127.0.0.1:0", "-limit", "100")
	if _, err := clamd(t, address).Scan(context.Background(), io.LimitReader(endless{}, 5000)); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
}

// Only one word is clean. Whatever else stands on the line, nothing is known.
func TestScannersThatLie(t *testing.T) {
	for said, clean := range map[string]bool{
		"stream: OK\x00": true, "OK\x00": false, "stream: OK": false, "stream: OK OK\x00": false, "\x00": false, "stream: \x00": false,
		"stream: X ERROR\x00": false, strings.Repeat("y", 10_000): false,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, said)
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 10))
			_ = c.Close()
		}()
		found, err := clamd(t, "tcp:"+l.Addr().String()).Scan(context.Background(), strings.NewReader("x"))
		if (err == nil) != clean || found != "" {
			t.Errorf("%.40q: %q, %v", said, found, err)
		}
		_ = l.Close()
	}
	for _, a := range []string{"", "127.0.0.1:3310", "http:x", "tcp:"} {
		if _, err := NewClamd(a); err == nil {
			t.Errorf("%q is an address", a)
		}
	}
}

var underRace bool

// A PDF that is read in a process of its own, and one that would exhaust it.
func TestInspectorApart(t *testing.T) {
	if underRace {
		t.Skip("the race detector needs more memory than this process may have")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inspect := Apart("/usr/bin/env", "DIWAN_INSPECT_PDF=1", self)
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{goodPDF(t), ""}, {goodPDF(t)[:500], "upload.damaged"}, {rawPDF("/OpenAction<</S/JavaScript/JS(1)>>"), codeActive},
		{bytes.Replace(rawPDF("", "<<>>"), []byte("/Root 1 0 R"), []byte("/Root 1 0 R/Encrypt 4 0 R"), 1), "upload.pdf_encrypted"},
	} {
		if err := inspect(context.Background(), c.b); codeOf(err) != c.want {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
	if err := Apart("/nonexistent/reader")(context.Background(), goodPDF(t)); err == nil || codeOf(err) != "internal" {
		t.Errorf("a reader that is not there: %v", err)
	}
	if err := Apart("/bin/sh", "-c", "kill -9 $$")(context.Background(), goodPDF(t)); codeOf(err) != codeBomb {
		t.Errorf("a reader that the system ended: %v", err)
	}
}
