package translog

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
)

func heldOf(source string, entries []Entry) []Held {
	var list []Held
	for i, e := range entries {
		list = append(list, Held{source, uint64(i + 1), e})
	}
	return list
}

func said(r *Report) string {
	var list []string
	for _, f := range r.Findings {
		s := fmt.Sprintf("%s@%d", f.Kind, f.Index)
		if f.Held != nil {
			s += fmt.Sprintf(":%s/%d", f.Held.Source, f.Held.Seq)
		}
		list = append(list, s)
	}
	return strings.Join(list, " ")
}

func TestMonitor(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		all := entriesOf(0, 600)
		odd := []Entry{EntryOf([]byte("odd")), EntryOf([]byte("even"))}
		del := func(l []Entry, i, j int) []Entry { return slices.Delete(slices.Clone(l), i, j) }
		for i, c := range []struct {
			name string
			log  []Entry // what the log has; all is what is held
			want string
		}{
			{"sound", all, ""},
			{"removed", del(all, 300, 302), "removed@-1:n1/301 removed@-1:n1/302"},
			{"added", slices.Insert(slices.Clone(all), 257, odd[0]), "added@257"},
			{"doubled", slices.Insert(slices.Clone(all), 257, all[4]), "added@257"},
			{"altered", append(del(all, 5, 600), append([]Entry{odd[0]}, all[6:]...)...), "altered@5:n1/6"},
			{"altered last", append(slices.Clone(all[:599]), odd[0]), "altered@599:n1/600"},
			{"reordered", append(append(slices.Clone(all[:10]), all[11], all[10]), all[12:]...), "reordered@10:n1/12"},
			{"altered and added", append(append(append(slices.Clone(all[:5]), odd[0]), all[6:20]...), append([]Entry{odd[1]}, all[20:]...)...), "altered@5:n1/6 added@20"},
			{"cut", all[:598], "removed@-1:n1/599 removed@-1:n1/600"},
		} {
			l, err := Open(ctx, d, Options{Origin: fmt.Sprintf("exchange/TEST/%d", i), Key: keyNamed("log")})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Append(ctx, c.log); err != nil {
				t.Fatal(err)
			}
			checkpoint(t, l)
			m := &Monitor{Key: l.Key(), Source: HandlerSource(l)}
			r, err := m.Check(ctx, nil, 0, heldOf("n1", all))
			if err != nil || said(r) != c.want {
				t.Errorf("%s: %q, %v, want %q", c.name, said(r), err, c.want)
			}
		}
	})
}

// Several journals lie interleaved in one log, and a look may begin anywhere.
func TestMonitorOfNodes(t *testing.T) {
	l := openLog(t, dbtest.SQLite(t, sets))
	a, b := entriesOf(0, 400), entriesOf(1000, 1400)
	for i := 0; i < 400; i += 40 {
		for source, list := range map[string][]Entry{"a": a, "b": b} {
			if _, _, err := l.Feed(ctx, source, uint64(i+1), list[i:i+40]); err != nil {
				t.Fatal(err)
			}
		}
	}
	checkpoint(t, l)
	s := httptest.NewServer(l)
	defer s.Close()
	m := &Monitor{Key: l.Key(), Source: HTTPSource(s.URL, s.Client())}
	held := append(heldOf("a", a), heldOf("b", b)...)
	if r, err := m.Check(ctx, nil, 0, held); err != nil || said(r) != "" {
		t.Errorf("whole: %q, %v", said(r), err)
	}
	late := append(heldOf("a", a)[200:], heldOf("b", b)[200:]...)
	r, err := m.Check(ctx, nil, 400, late)
	if err != nil || said(r) != "" {
		t.Errorf("from the middle: %q, %v", said(r), err)
	}
	if _, err := m.Check(ctx, nil, 801, nil); !errors.Is(err, ErrRange) {
		t.Errorf("beyond the log: %v", err)
	}
	if r, err := m.Check(ctx, r.Signed, 800, nil); err != nil || said(r) != "" {
		t.Errorf("nothing new: %q, %v", said(r), err)
	}
}

func TestMonitorFindsForks(t *testing.T) {
	l := openLog(t, dbtest.SQLite(t, sets))
	m := &Monitor{Key: l.Key(), Source: HandlerSource(l)}
	add(t, l, 0, 10)
	ten := checkpoint(t, l)
	add(t, l, 10, 300)
	later := checkpoint(t, l)
	lie := func(c Checkpoint) []byte {
		c.Root[0] ^= 1
		return forge(t, c, keyNamed("log"))
	}
	beyond := later.Checkpoint
	beyond.Size = 400
	for name, c := range map[string]struct {
		seen []byte
		want string
	}{
		"first":    {nil, ""},
		"grown":    {ten.Note, ""},
		"same":     {later.Note, ""},
		"fork":     {lie(ten.Checkpoint), "forked@10"},
		"two now":  {lie(later.Checkpoint), "forked@300"},
		"set back": {forge(t, beyond, keyNamed("log")), "set_back@300"},
	} {
		r, err := m.Latest(ctx, c.seen)
		if err != nil || said(r) != c.want || r.Checkpoint != later.Checkpoint {
			t.Errorf("%s: %q, %v, want %q", name, said(r), err, c.want)
		}
	}
	if r, err := m.Compare(ctx, later.Note, lie(ten.Checkpoint)); err != nil || said(r) != "forked@10" {
		t.Errorf("compared: %v", err)
	}
	if _, err := m.Compare(ctx, later.Note, forge(t, ten.Checkpoint, keyNamed("mallory"))); !errors.Is(err, ErrUnsigned) {
		t.Errorf("a checkpoint of nobody: %v", err)
	}
	if _, err := m.Compare(ctx, ten.Note, lie(later.Checkpoint)); !errors.Is(err, ErrServed) {
		t.Errorf("a checkpoint that nothing is served under: %v", err)
	}
}

// twisted changes what a source answers.
type twisted struct {
	Source
	path  string
	twist func([]byte) ([]byte, error)
}

func (s twisted) Fetch(ctx context.Context, path string, limit int) ([]byte, error) {
	b, err := s.Source.Fetch(ctx, path, limit)
	if err == nil && path == s.path {
		return s.twist(b)
	}
	return b, err
}

// A log that serves other tiles or entries than it signed is caught; one that is
// down is not accused.
func TestMonitorOfLiar(t *testing.T) {
	l := openLog(t, dbtest.SQLite(t, sets))
	add(t, l, 0, 600)
	checkpoint(t, l)
	held := heldOf("n1", entriesOf(0, 600))
	down := errors.New("down")
	flip := func(b []byte) ([]byte, error) { b[len(b)-1] ^= 1; return b, nil }
	cut := func(b []byte) ([]byte, error) { return b[:len(b)-1], nil }
	other := writeBundle(entriesOf(5000, 5256))
	for _, c := range []struct {
		path  string
		twist func([]byte) ([]byte, error)
		want  error
	}{
		{"/tile/entries/000", flip, ErrServed}, {"/tile/entries/000", cut, ErrServed}, {"/tile/entries/001", func([]byte) ([]byte, error) { return other, nil }, ErrServed},
		{"/tile/entries/002.p/88", func([]byte) ([]byte, error) { return nil, nil }, ErrServed},
		{"/tile/0/000", flip, ErrServed}, {"/tile/0/002.p/88", flip, ErrServed}, {"/tile/1/000.p/2", flip, ErrServed}, {"/tile/0/001", cut, ErrServed},
		{"/checkpoint", flip, ErrCheckpoint}, {"/checkpoint", func([]byte) ([]byte, error) { return nil, nil }, ErrCheckpoint},
		{"/tile/0/000", func([]byte) ([]byte, error) { return nil, down }, down}, {"/checkpoint", func([]byte) ([]byte, error) { return nil, down }, down},
	} {
		m := &Monitor{Key: l.Key(), Source: twisted{HandlerSource(l), c.path, c.twist}}
		_, err := m.Check(ctx, nil, 0, held)
		if !errors.Is(err, c.want) || errors.Is(err, ErrServed) != (c.want == ErrServed) {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
	}
}
