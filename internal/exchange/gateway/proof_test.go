package gateway

import (
	"bytes"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/translog"
	"diwan/internal/exchange/translog/stamp"
	"diwan/protocol/link"
)

// provenPair is a town and a registry that witness each other's logs, with a
// time-stamp authority.
func provenPair(t *testing.T) *pairing {
	return newPair(t, acts(t), func(p *pairing, _ *Terms) {
		key := newKey(t)
		cert, err := p.x.StampCertificate(t.Context(), key.Public(), "stamps")
		p.ok(err)
		tsa, err := stamp.NewAuthority(dbtest.SQLite(t, []db.Migrations{stamp.Migrations()}), stamp.AuthorityOptions{Certificate: cert, Key: key, Policy: asn1.ObjectIdentifier{2, 999, 1}, Now: p.clock.Now})
		p.ok(err)
		server := httptest.NewServer(tsa)
		t.Cleanup(server.Close)
		for _, c := range []*Config{&p.town, &p.civil} {
			c.HTTP.Listen = freePort(t)
			c.HTTP.Address = "https://" + c.HTTP.Listen
			c.Proof = ProofConfig{Stamps: server.URL, StampEvery: 100 * time.Millisecond, Witness: true}
		}
	})
}

func (p *pairing) folder(n *node) *Folder {
	p.Helper()
	f, err := OpenFolder(p.Context(), n.cfg.Data, "", nil)
	p.ok(err)
	p.Cleanup(func() { f.Close() })
	return f
}

// proven waits until a checkpoint that is cosigned and stamped covers an exchange.
func (p *pairing) proven(n *node, message string) *Evidence {
	p.Helper()
	var ev *Evidence
	p.eventually("a cosigned and stamped checkpoint covers the exchange", func() bool {
		f, err := OpenFolder(p.Context(), n.cfg.Data, "", nil)
		p.ok(err)
		defer f.Close()
		if ev, err = f.Prove(p.Context(), Which{Message: message}); err != nil {
			return false
		}
		return len(ev.Records) == 2 && !slices.ContainsFunc(ev.Records, func(b *translog.Bundle) bool { return len(b.Cosignatures) == 0 || len(b.Stamp) == 0 })
	})
	return ev
}

func (p *pairing) trust(n *node) EvidenceTrust {
	p.Helper()
	keys, err := ReadTrust(filepath.Join(n.cfg.Data, trustedFile))
	p.ok(err)
	return EvidenceTrust{DirectoryKeys: keys, Witnesses: 1, NeedStamp: true}
}

func TestProofEndToEnd(t *testing.T) {
	p := provenPair(t)
	a := p.asks.call("POST", r1("/acts"), strings.NewReader(`{"n":1}`), "Content-Type", "application/json", "X-Road-Id", "proof-1")
	if a.status != 201 {
		t.Fatalf("%+v", a)
	}
	for _, n := range []*node{p.asks, p.answers} {
		ev := p.proven(n, "proof-1")
		var file bytes.Buffer
		p.ok(ev.Write(&file))
		ev, err := ReadEvidence(file.Bytes())
		p.ok(err)
		r := CheckEvidence(ev, p.trust(n))
		if !r.Proven || r.Asks != town || r.Answers != civil || r.Client != desk || r.Service != births || r.Method != "POST" || r.Status != 201 || r.AskedAt.IsZero() {
			t.Fatalf("%s: %+v", n.cfg.Member, r)
		}
		if got := len(r.Steps); got != 3+2*7+3 {
			t.Errorf("%d checks: %+v", got, r.Steps)
		}
		refusesChanges(t, file.Bytes(), p.trust(n))
		byOpenSSL(t, p, ev)
		w, err := p.folder(n).Verify(t.Context(), nil)
		p.ok(err)
		if !w.OK || w.Messages != 2 || w.Cosigned.Size == 0 || w.Stamped.Size == 0 {
			t.Errorf("%s verifies as %+v", n.cfg.Member, w)
		}
	}
	if w, err := p.asks.CheckWhole(t.Context()); err != nil || !w.OK {
		t.Errorf("the gateway verifies itself as %+v, %v", w, err)
	}
	if w, err := p.asks.LastCheck(t.Context()); err != nil || w == nil || !w.OK {
		t.Errorf("the last verification is %+v, %v", w, err)
	}
}

// A body that was sent in pieces is proved as a whole.
func TestProofOfALongBody(t *testing.T) {
	p := provenPair(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	if a := p.asks.call("POST", r1("/acts"), bytes.NewReader(body), "Content-Type", "text/plain", "X-Road-Id", "long-1"); a.status != 201 {
		t.Fatalf("%d", a.status)
	}
	f := p.folder(p.answers)
	var ev *Evidence
	p.eventually("the exchange can be proved", func() (ok bool) {
		var err error
		ev, err = f.Prove(t.Context(), Which{Message: "long-1"})
		return err == nil && len(ev.Records) >= 3
	})
	r := CheckEvidence(ev, EvidenceTrust{DirectoryKeys: p.trust(p.answers).DirectoryKeys})
	sum := sha512.Sum512(body)
	at := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Code == StepBody && s.Facts[0].Value == hex.EncodeToString(sum[:]) })
	if !r.Proven || at < 0 {
		t.Errorf("%+v", r)
	}
}

// refusesChanges alters one thing after another in a file.
func refusesChanges(t *testing.T, file []byte, trust EvidenceTrust) {
	t.Helper()
	for name, change := range map[string]func(*Evidence){
		"record":       func(e *Evidence) { e.Records[0].Record[60] ^= 1 },
		"answer":       func(e *Evidence) { b := e.Records[1].Record; b[len(b)-40] ^= 1 },
		"index":        func(e *Evidence) { e.Records[0].Index++ },
		"checkpoint":   func(e *Evidence) { e.Records[0].Checkpoint = e.Records[0].Checkpoint[1:] },
		"cosignatures": func(e *Evidence) { e.Records[1].Cosignatures = nil },
		"stamp":        func(e *Evidence) { b := e.Records[0].Stamp; b[len(b)-3] ^= 1 },
		"no stamp":     func(e *Evidence) { e.Records[0].Stamp = nil },
		"directory":    func(e *Evidence) { e.Index = e.Index[:len(e.Index)-4] + "AAAA" },
		"member":       func(e *Evidence) { e.Parts[civil][20] ^= 1 },
		"other member": func(e *Evidence) { e.Member = civil + "X" },
		"request id":   func(e *Evidence) { e.Request = altered(e.Request) },
		"contract": func(e *Evidence) {
			e.Contract.Content = bytes.Replace(e.Contract.Content, []byte("register"), []byte("Register"), 1)
		},
		"no contract": func(e *Evidence) { e.Contract = nil },
		"signature":   func(e *Evidence) { e.Contract.Signatures = e.Contract.Signatures[:1] },
		"swapped": func(e *Evidence) {
			e.Records[0].Inclusion, e.Records[1].Inclusion = e.Records[1].Inclusion, e.Records[0].Inclusion
		},
	} {
		ev, err := ReadEvidence(file)
		if err != nil {
			t.Fatal(err)
		}
		change(ev)
		if CheckEvidence(ev, trust).Proven {
			t.Errorf("%s: altered, and still proven", name)
		}
	}
	ev, _ := ReadEvidence(file)
	other, err := x509.MarshalPKIXPublicKey(newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	if CheckEvidence(ev, EvidenceTrust{DirectoryKeys: [][]byte{other}}).Proven {
		t.Error("proven under a key that signed nothing")
	}
}

// altered gives the id another first digit, whatever digit it had.
func altered(id string) string {
	if id[0] == '0' {
		return "1" + id[1:]
	}
	return "0" + id[1:]
}

// byOpenSSL checks the stamp with another program.
func byOpenSSL(t *testing.T, p *pairing, ev *Evidence) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not here: its check of the time stamp is left out")
		return
	}
	dir := t.TempDir()
	root := p.asks.trust.Load().view.Index.Authorities[0]
	b := ev.Records[0]
	for name, data := range map[string][]byte{"ca.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), "data": []byte(b.Checkpoint), "stamp": b.Stamp} {
		p.ok(os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	cmd := exec.Command(program, "ts", "-verify", "-data", "data", "-in", "stamp", "-CAfile", "ca.pem")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Verification: OK")) {
		t.Errorf("openssl says %s, %v", out, err)
	}
}

// copyFolder copies a data folder.
func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// verifyCopy verifies a folder.
func verifyCopy(t *testing.T, dir string, seen ...[]byte) *Whole {
	t.Helper()
	f, err := OpenFolder(t.Context(), dir, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := f.Verify(t.Context(), seen)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Whatever is done to a journal or its log on disk is found and named.
func TestDamageIsFoundAndNamed(t *testing.T) {
	p := provenPair(t)
	for range 6 {
		if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
			t.Fatalf("%+v", a)
		}
	}
	p.eventually("the log holds all and is cosigned", func() bool {
		w, err := p.folder(p.asks).Verify(t.Context(), nil)
		return err == nil && w.OK && w.Logged == w.Last && w.Cosigned.Size == w.LogSize && w.Seen > 0
	})
	p.asks.end()
	p.answers.end()
	dir := p.asks.cfg.Data
	good := verifyCopy(t, copyFolder(t, dir))
	if !good.OK || good.Messages != 12 {
		t.Fatalf("untouched: %+v", good)
	}
	records := readAll(t, filepath.Join(dir, journalFolder))
	from := func(w *Whole, kind string, seq, last uint64) {
		t.Helper()
		if w.OK || !slices.ContainsFunc(w.Faults, func(f Fault) bool { return f.Kind == kind && f.Seq == seq && f.Last == last }) {
			t.Errorf("want %s of %d to %d, found %+v", kind, seq, last, w.Faults)
		}
	}
	victim := uint64(3)
	if records[victim-1].Message == nil {
		t.Fatalf("record %d is a note", victim)
	}

	edited := copyFolder(t, dir)
	alter(t, edited, func(b []byte) []byte {
		at := bytes.Index(b, records[victim-1].Bytes())
		b[at+300] ^= 1
		return b
	})
	w := verifyCopy(t, edited)
	from(w, "altered", victim, victim)
	if len(w.Faults) != 2 && len(w.Faults) != 1 || w.Faults[0].Request == "" {
		t.Errorf("an edited record gives %+v", w.Faults)
	}

	removed := copyFolder(t, dir)
	alter(t, removed, func(b []byte) []byte { return bytes.Replace(b, records[victim-1].Bytes(), nil, 1) })
	from(verifyCopy(t, removed), "missing", victim, victim)

	cut := copyFolder(t, dir)
	alter(t, cut, func(b []byte) []byte {
		for _, e := range records[len(records)-2:] {
			raw := e.Bytes()
			b = bytes.Replace(b, raw, make([]byte, len(raw)), 1)
		}
		return b
	})
	from(verifyCopy(t, cut), "missing", good.Last-1, good.Last)

	// The whole journal written anew without one record: its own chain holds.
	rewritten := copyFolder(t, dir)
	writeAnew(t, filepath.Join(rewritten, journalFolder), records, victim)
	if r, err := journal.Verify(filepath.Join(rewritten, journalFolder), nil, nil); err != nil || len(r.Problems) > 0 {
		t.Fatalf("the journal written anew: %+v, %v", r, err)
	}
	w = verifyCopy(t, rewritten)
	if w.OK || !slices.ContainsFunc(w.Faults, func(f Fault) bool { return f.Kind == FaultOther && f.Seq == 1 }) || !slices.ContainsFunc(w.Faults, func(f Fault) bool { return f.Kind == "missing" && f.Last == good.Last }) {
		t.Errorf("a journal written anew gives %+v", w.Faults)
	}

	// The log set back to an earlier state: the journal's own notes tell.
	back := copyFolder(t, dir)
	setBack(t, back, town, 3)
	w = verifyCopy(t, back)
	if w.OK || !slices.ContainsFunc(w.Faults, func(f Fault) bool { return f.Kind == string(translog.SetBack) }) {
		t.Errorf("a log that was set back gives %+v, %+v", w.Faults, w.Remarks)
	}

	// Journal and log both set back: the witness tells.
	both := copyFolder(t, dir)
	setBack(t, both, town, 3)
	cutAfter(t, filepath.Join(both, journalFolder), records, 3)
	if w := verifyCopy(t, both); !w.OK {
		t.Fatalf("set back as a whole: %+v", w.Faults)
	}
	f, other := p.folder(p.asks), p.folder(p.answers)
	seen, err := f.SeenBy(t.Context(), other)
	p.ok(err)
	if w := verifyCopy(t, both, seen...); w.OK || w.Seen == 0 {
		t.Errorf("a folder that was set back as a whole, held to the witness: %+v", w)
	}

	// No log at all.
	gone := copyFolder(t, dir)
	for _, name := range []string{"gateway.db", "gateway.db-wal", "gateway.db-shm"} {
		os.Remove(filepath.Join(gone, name))
	}
	if w := verifyCopy(t, gone); w.OK || w.Faults[0].Kind != FaultNoLog {
		t.Errorf("without its log: %+v", w.Faults)
	}
}

func readAll(t *testing.T, dir string) []journal.Entry {
	t.Helper()
	r := journal.NewReader(dir, 1)
	defer r.Close()
	var out []journal.Entry
	for {
		e, err := r.Next()
		if err != nil {
			return out
		}
		out = append(out, e)
	}
}

// alter changes the only segment of a journal.
func alter(t *testing.T, dir string, change func([]byte) []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, journalFolder, "*.seg"))
	if err != nil || len(names) != 1 {
		t.Fatalf("segments %v, %v", names, err)
	}
	b, err := os.ReadFile(names[0])
	if err == nil {
		err = os.WriteFile(names[0], change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// writeAnew makes a journal of the same records but one, with a chain that holds.
func writeAnew(t *testing.T, dir string, records []journal.Entry, without uint64) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(dir, journal.Options{SegmentBytes: 1 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	last := uint64(0)
	for _, e := range records {
		if e.Seq == without {
			continue
		}
		if e.Message != nil {
			last, err = j.Append([]link.Record{*e.Message})
		} else {
			last, err = j.AppendNote(e.Type, e.Payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Wait(t.Context(), last); err != nil && !errors.Is(err, journal.ErrClosed) {
		t.Fatal(err)
	}
}

// cutAfter puts the journal back to its first records, byte for byte.
func cutAfter(t *testing.T, dir string, records []journal.Entry, n int) {
	t.Helper()
	b, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(b) != 1 {
		t.Fatal(b, err)
	}
	data, err := os.ReadFile(b[0])
	if err != nil {
		t.Fatal(err)
	}
	raw := records[n].Bytes()
	clear(data[bytes.Index(data, raw):])
	if err := os.WriteFile(b[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// setBack makes a log what it was when it had n entries.
func setBack(t *testing.T, dir, member string, n int64) {
	t.Helper()
	d, err := db.Open(t.Context(), "sqlite:"+filepath.Join(dir, "gateway.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.RunTx(t.Context(), func(tx *db.Tx) error {
		var errs []error
		for _, q := range []string{`UPDATE translog_log SET size = $2 WHERE origin = $1`, `UPDATE translog_source SET seq = $2 WHERE origin = $1`,
			`DELETE FROM translog_entry WHERE origin = $1 AND idx >= $2`, `DELETE FROM translog_checkpoint WHERE origin = $1 AND size > $2`,
			`DELETE FROM translog_cosignature WHERE origin = $1 AND size > $2`} {
			_, err := tx.ExecContext(t.Context(), q, translog.MemberOrigin(member), n)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzReadEvidence: what comes in a file is never believed, and never breaks.
func FuzzReadEvidence(f *testing.F) {
	f.Add([]byte(`{"format":"diwan-exchange-evidence-1","member":"XX/GOV/A","node":"n1","request_id":"x","made_at":"2026-01-01T00:00:00Z","records":[{"format":"diwan-exchange-proof-1","record":"AAAA","index":0,"inclusion":[],"checkpoint":""}],"directory":"a.b.c","members":{}}`))
	f.Add([]byte(`{"records":[null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := ReadEvidence(b)
		if err != nil {
			return
		}
		if CheckEvidence(ev, EvidenceTrust{}).Proven {
			t.Error("proven without a key to trust")
		}
	})
}
