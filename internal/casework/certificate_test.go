package casework

import (
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
)

// prefect signs at the administration above, otherAbove at another such.
var (
	prefect    = gov.Actor{ID: "prefect", Administration: "prefecture", Roles: []gov.Role{gov.RoleSign}}
	otherAbove = gov.Actor{ID: "above-elsewhere", Administration: "prefecture-2", Roles: []gov.Role{gov.RoleSign}}
)

// escalated is a case of a commune that kept silent, and did not deliver what its
// silence gave.
func (w *world) escalated() *Case {
	w.Helper()
	c := w.file()
	w.hand.days(40)
	w.act(salma, c, Action{Type: string(clock.DeliveryRequested)})
	w.hand.days(12)
	if _, err := w.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
	got, err := caseByNumber(w.Context(), w.DB.Reader(), c.Number)
	if err != nil || got.State != clock.Escalated || got.Above != "prefecture" {
		w.Fatalf("%v, %+v", err, got)
	}
	return got
}

func (w *world) before(done bool, want ...string) {
	w.Helper()
	list, err := w.BeforeAbove(w.Context(), "prefecture", done)
	if err != nil || len(list) != len(want) {
		w.Fatalf("%d cases, %v, want %v", len(list), err, want)
	}
	for i, c := range list {
		if c.Number != want[i] {
			w.Errorf("%s, want %s", c.Number, want[i])
		}
	}
}

// The silence of a commune is certified by the administration above after a letter,
// with or without the commune's answer, once.
func TestCertificateOfSilence(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.escalated()
		w.before(false, c.Number)
		w.refused(prefect, c, Action{Type: certifiedType, Text: "No answer."}, "case.above_not_written")
		w.refused(signer, c, Action{Type: BelowExplained, Text: "We are late."}, "case.above_silent")
		w.act(prefect, c, Action{Type: AboveWrote, Text: "Why no answer?"})
		w.refused(prefect, c, Action{Type: AboveWrote, Text: "Why?"}, "case.above_wrote")
		w.refused(prefect, c, Action{Type: certifiedType}, "case.reasons_missing")
		w.act(signer, c, Action{Type: BelowExplained, Text: "The architect was away."})
		w.refused(signer, c, Action{Type: BelowExplained, Text: "And ill."}, "case.below_explained")
		w.act(prefect, c, Action{Type: certifiedType, Text: "The file was complete; the period passed."})
		got := w.stands(c.Number, clock.DeliveredState, "")
		if got.Open {
			t.Error("the case is still open")
		}
		w.before(false)
		w.before(true, c.Number)
		e := w.last(c)
		if number, ok := ReadNumber(e.Clear.Ref); !ok || number == c.Number || e.Clear.To != "prefecture" || e.Actor != prefect.ID {
			t.Errorf("the certificate: %+v", e)
		}
		w.refused(prefect, c, Action{Type: certifiedType, Text: "Twice."}, "clock.case.closed")
		var n int
		if err := w.DB.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM casework_notice WHERE to_account = $1 AND kind = $2`, salma.ID, certifiedType).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d notices to the person, %v", n, err)
		}
	})
}

func TestCertificateRefused(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.escalated()
		w.refused(prefect, c, Action{Type: CertificateRefused}, "case.reasons_missing")
		w.act(prefect, c, Action{Type: CertificateRefused, Text: "The commune answered on 20 March."})
		w.stands(c.Number, clock.Escalated, "2026-05-04")
		w.refused(prefect, c, Action{Type: AboveWrote, Text: "After all"}, "case.certificate_refused")
		w.refused(prefect, c, Action{Type: certifiedType, Text: "After all."}, "case.certificate_refused")
		w.act(signer, c, Action{Type: string(clock.Delivered)})
		w.stands(c.Number, clock.DeliveredState, "")
	})
}

func TestCertificateMisuse(t *testing.T) {
	each(t, func(w *world) {
		appealWorld(w)
		c := w.file()
		w.refused(prefect, c, Action{Type: certifiedType, Text: "Early."}, "case.not_found")
		c = w.escalated()
		for _, who := range []gov.Actor{otherAbove, idris} {
			w.refused(who, c, Action{Type: certifiedType, Text: "Mine."}, "case.not_found")
			w.refused(who, c, Action{Type: AboveWrote, Text: "Why?"}, "case.not_found")
		}
		w.refused(salma, c, Action{Type: certifiedType, Text: "For me."}, "forbidden")
		w.refused(signer, c, Action{Type: certifiedType, Text: "By ourselves."}, "forbidden")
		w.refused(signer, c, Action{Type: AboveWrote, Text: "To ourselves."}, "forbidden")
		w.refused(prefect, c, Action{Type: string(clock.Delivered)}, "forbidden")
		central := w.file(func(f *Filing) { f.Terms.Authority = "deconcentrated" })
		w.hand.days(60)
		w.act(salma, central, Action{Type: string(clock.DeliveryRequested)})
		w.hand.days(20)
		w.act(prefect, central, Action{Type: AboveWrote, Text: "Deliver it."})
		w.refused(prefect, central, Action{Type: certifiedType, Text: "As for communes."}, "clock.certified.not_here")
	})
}
