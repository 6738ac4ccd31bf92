package casework

import (
	"context"
	"errors"
	"testing"
	"time"

	"diwan/internal/casework/clock"
)

func TestNotices(t *testing.T) {
	each(t, func(w *world) {
		daily := map[string]bool{}
		var sent [][]Notice
		fails := false
		run := func() {
			t.Helper()
			sent = nil
			err := w.SendNotices(t.Context(), func(_ context.Context, to string) (bool, error) { return daily[to], nil }, func(_ context.Context, list []Notice) error {
				if fails {
					return errors.New("the line is down")
				}
				sent = append(sent, list)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		c := w.file()
		fails = true
		run()
		fails = false
		run() // too soon after the failure
		if len(sent) != 0 {
			t.Errorf("tried again at once: %v", sent)
		}
		w.hand.now = w.hand.now.Add(2 * noticePause)
		run()
		if len(sent) != 1 || len(sent[0]) != 1 || sent[0][0].To != salma.ID || sent[0][0].Kind != string(clock.Filed) || sent[0][0].Case.Number != c.Number {
			t.Fatalf("sent %+v", sent)
		}
		run()
		if len(sent) != 0 {
			t.Errorf("sent twice: %v", sent)
		}
		daily[salma.ID] = true
		w.act(studies, c, Action{Type: MessageSent, Text: "Good day."})
		run()
		if len(sent) != 0 {
			t.Errorf("what is not urgent did not wait: %v", sent)
		}
		w.act(studies, c, Action{Type: string(clock.InformationRequested), Text: "Which street?"})
		run()
		if len(sent) != 1 || len(sent[0]) != 2 {
			t.Errorf("an urgent one takes the others along: %v", sent)
		}
		w.act(studies, c, Action{Type: MessageSent, Text: "Good evening."})
		w.hand.now = w.hand.now.Add(onceADay + time.Minute)
		run()
		if len(sent) != 1 {
			t.Errorf("a day later: %v", sent)
		}
	})
}
