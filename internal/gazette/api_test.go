package gazette

import (
	"net/url"
	"testing"
	"time"
)

// Whatever is sent as a token, what is read from it can be asked of a database,
// and only the token of the same filters is taken.
func FuzzMark(f *testing.F) {
	filters := url.Values{"kind": {"loi"}}
	f.Add(mark{7, "/akn/ma/act/loi/2026/90-26"}.token(filters))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		q := &apiQuery{Values: url.Values{"kind": {"loi"}, "page_token": {token}}}
		m := q.mark()
		if (len(q.faults) > 0) == (m.id != "") && token != "" {
			t.Fatalf("%q gives %+v and %v", token, m, q.faults)
		}
		if m.id != "" && !validID(m.id) {
			t.Fatalf("%q gives %+v", token, m)
		}
	})
}

func TestMarkIsBoundToItsFilters(t *testing.T) {
	token := mark{7, "/akn/x"}.token(url.Values{"kind": {"loi"}})
	for kind, ok := range map[string]bool{"loi": true, "dahir": false} {
		q := &apiQuery{Values: url.Values{"kind": {kind}, "page_token": {token}, "page_size": {"9"}}}
		if m := q.mark(); (m.id == "/akn/x" && m.at == 7) != ok || (len(q.faults) == 0) != ok {
			t.Errorf("%s: %+v %v", kind, m, q.faults)
		}
	}
}

// Old law rings no bell.
func TestFresh(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		e    Event
		want bool
	}{
		{Event{Type: EventAmended, Day: "2026-11-12", At: at}, true}, {Event{Type: EventAmended, Day: "2027-01-01", At: at}, true},
		{Event{Type: EventAmended, Day: "2026-08-01", At: at}, false}, {Event{Type: EventPublished, At: at}, false}, {Event{Type: EventPublished, Day: "2026", At: at}, false},
		{Event{Type: EventCorrected, At: at}, true},
	} {
		if got := c.e.Fresh(); got != c.want {
			t.Errorf("%+v: %v", c.e, got)
		}
	}
}
