package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"diwan/internal/exchange"
	"diwan/internal/gov"
)

// breaking is the way to the directory, which breaks at one request: before it gets
// there, or before its answer is back.
type breaking struct {
	at     int
	answer bool // it got there
	n      int
}

func (b *breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	b.n++
	if b.n == b.at && !b.answer {
		return nil, errors.New("the line broke")
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if b.n == b.at && err == nil {
		resp.Body.Close()
		return nil, errors.New("the line broke before the answer")
	}
	return resp, err
}

// joining is one member that tries to join until it has.
type joining struct {
	*world
	member, dir, code string
	options           JoinOptions
}

func (w *world) joining(member string) *joining {
	w.Helper()
	w.ok(w.x.AddMember(w.Context(), officer, exchange.Member{ID: member, Name: gov.Text{"en": "Office"}}))
	dir := w.TempDir()
	link := freePort(w)
	j := &joining{world: w, member: member, dir: dir, options: JoinOptions{Config: filepath.Join(dir, "gateway.toml"), Data: filepath.Join(dir, "data"), Addresses: []string{link}, Link: link,
		Edge: "127.0.0.1:0", Admin: "127.0.0.1:0", Clock: w.clock}}
	j.invite()
	return j
}

func (j *joining) invite() {
	j.Helper()
	inv, err := j.x.Invite(j.Context(), officer, j.member, "n1", j.portal.URL)
	j.ok(err)
	j.code = inv.String()
}

// breaks says that joining does not come to its end, and says so.
func (j *joining) breaks(what string) {
	j.Helper()
	_, err := Join(j.Context(), j.code, j.options)
	if err == nil {
		j.Fatalf("%s: it joined", what)
	}
	if _, kerr := os.Stat(filepath.Join(j.options.Data, identityFile)); kerr == nil && !errors.Is(err, ErrJoinBroke) {
		j.Errorf("%s: keys were made, and the error does not say that it can be repeated: %v", what, err)
	}
	checks := Unfinished(j.options.Config)
	if _, kerr := os.Stat(filepath.Join(j.options.Data, identityFile)); (kerr == nil) != (len(checks) == 1) {
		j.Errorf("%s: the self-test says %v", what, checks)
	}
}

// joins says that it joins now, holds the member's key, and can work.
func (j *joining) joins(what string) {
	j.Helper()
	got, err := Join(j.Context(), j.code, j.options)
	if err != nil || !got.MemberKey || got.Member != j.member {
		j.Fatalf("%s: %+v, %v", what, got, err)
	}
	cfg, err := ReadConfig(j.options.Config)
	j.ok(err)
	o := j.office(cfg)
	if _, _, err := o.keys.memberKey(); err != nil {
		j.Errorf("%s: %v", what, err)
	}
	j.ok(o.Directory().SetSubsystem(j.Context(), "DESK", map[string]string{"en": "Desk"}))
	j.clock.turn(2 * time.Second)
	for _, c := range SelfTest(j.Context(), cfg, j.clock) {
		if c.Verdict == Bad && c.Code != "selftest.clock.off" { // the directory's answers bear the machine's own time
			j.Errorf("%s: the self-test says %+v", what, c)
		}
	}
	m, err := j.x.Member(j.Context(), j.member)
	j.ok(err)
	if len(m.Nodes) != 1 || m.LogKey == "" {
		j.Errorf("%s: the directory has %+v", what, m)
	}
}

// Wherever a join breaks off, doing the same again with the same code brings it to its
// end.
func TestJoinBreaksAnywhere(t *testing.T) {
	w := newWorld(t)
	for at := 1; ; at++ {
		way := &breaking{}
		for _, answer := range []bool{false, true} {
			what := fmt.Sprintf("request %d, answer lost: %v", at, answer)
			j := w.joining(fmt.Sprintf("XX/COM/LINE%d%v", at, answer))
			way = &breaking{at: at, answer: answer}
			j.options.Client = &http.Client{Transport: way}
			if _, err := Join(context.Background(), j.code, j.options); err == nil {
				break // there are no more requests
			}
			way.n = 0
			j.breaks(what)
			j.options.Client = nil
			j.joins(what)
		}
		if way.n < at {
			if at < 4 {
				t.Errorf("joining took %d requests", at-1)
			}
			break
		}
	}
	for _, file := range []string{keysFolder, memberFile, tlsFile, trustedFile} {
		j := w.joining("XX/COM/" + fmt.Sprintf("FILE%d", len(file)))
		in := filepath.Join(j.options.Data, file)
		if file == keysFolder { // a file where a folder is wanted
			w.ok(os.MkdirAll(j.options.Data, 0o700))
			w.ok(os.WriteFile(in, nil, 0o600))
		} else {
			w.ok(os.MkdirAll(filepath.Join(in, "taken"), 0o700))
		}
		if _, err := Join(t.Context(), j.code, j.options); err == nil {
			t.Fatalf("%s: it joined", file)
		}
		w.ok(os.RemoveAll(in))
		j.joins(file)
	}
	j := w.joining("XX/COM/SETTINGS")
	where := j.options.Config
	j.options.Config = filepath.Join(j.dir, "missing", "gateway.toml")
	if _, err := Join(t.Context(), j.code, j.options); !errors.Is(err, ErrJoinBroke) {
		t.Errorf("settings that can't be written: %v", err)
	}
	j.options.Config = where
	j.joins("the settings")
	if _, err := Join(t.Context(), j.code, j.options); !errors.Is(err, ErrConfigExists) {
		t.Errorf("joining over a gateway that has joined: %v", err)
	}
}

// When the code has ended meanwhile the exchange desk makes a new one; the keys that
// were made serve on. Where they are lost, the desk revokes them first.
func TestJoinWithANewCode(t *testing.T) {
	w := newWorld(t)
	j := w.joining("XX/COM/LATE")
	j.options.Client = &http.Client{Transport: &breaking{at: 3, answer: true}} // the directory has let it in
	j.breaks("the answer to the enrolment")
	j.options.Client = nil
	w.clock.turn(25 * time.Hour)
	if _, err := Join(t.Context(), j.code, j.options); err == nil || errors.Is(err, ErrJoinBroke) {
		t.Errorf("with a code that has ended: %v", err)
	}
	j.invite()
	j.joins("with a new code")

	lost := w.joining("XX/COM/LOST")
	lost.options.Client = &http.Client{Transport: &breaking{at: 3, answer: true}}
	lost.breaks("the answer to the enrolment")
	lost.options.Client = nil
	w.ok(os.RemoveAll(lost.options.Data))
	m, err := w.x.Member(t.Context(), lost.member)
	w.ok(err)
	for _, k := range m.Keys {
		w.ok(w.x.Revoke(t.Context(), officer, k.SHA256, "lost with the machine"))
	}
	w.clock.turn(2 * time.Second)
	lost.invite()
	lost.joins("with new keys")
}
