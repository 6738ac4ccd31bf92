package casework

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/keys"
)

func TestIndicatorsOfAYear(t *testing.T) {
	each(t, func(w *world) {
		var all []*Case
		for range 30 {
			all = append(all, w.file())
		}
		few := w.file(func(f *Filing) { f.Administration = "elsewhere" })
		w.hand.days(5)
		for _, c := range all[:6] {
			w.act(signer, c, Action{Type: string(clock.Granted)})
		}
		w.hand.days(10)
		for i, c := range all[6:18] {
			a := Action{Type: string(clock.Refused), Text: "No.", Ground: "zone"}
			if i < 6 {
				a.Ground = "height"
			}
			w.act(signer, c, a)
		}
		for _, c := range all[18:22] {
			w.act(salma, c, Action{Type: string(clock.Withdrawn)})
		}
		for _, c := range all[6:11] {
			w.act(salma, c, Action{Type: string(clock.Appealed), Text: "Why?"})
		}
		if err := w.Rate(t.Context(), salma, all[25].Number, 4, "x"); codeOf(err) != "rating.early" {
			t.Error(err)
		}
		for i, c := range all[:6] {
			if err := w.Rate(t.Context(), salma, c.Number, 1+i%5, "It went \u202ewell"); err != nil {
				t.Fatal(err)
			}
		}
		w.hand.days(30)
		if _, err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.KeepIndicators(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := w.IndicatorsOf(t.Context(), 2026)
		if err != nil || len(got.Rows) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		r := got.Rows[0]
		for what, x := range map[string][2]Count{
			"filed": {r.Filed, {N: 30}}, "granted": {r.Granted, {Few: true}}, "refused": {r.Refused, {N: 12}}, "silence": {r.Silence, {N: 8}}, "withdrawn, which were four": {r.Withdrawn, {Few: true}},
			"in time": {r.InTime, {N: 18}}, "late": {r.Late, {}}, "the median": {r.Median, {N: 15}}, "the ninth tenth": {r.P90, {N: 15}}, "appealed": {r.Appealed, {N: 5}},
			"without answer": {r.AppealOpen, {N: 5}}, "ratings": {r.Ratings, {N: 6}}, "the mean": {r.Stars, {N: 266}}, "height": {r.Grounds["height"], {N: 6}},
		} {
			if x[0] != x[1] {
				t.Errorf("%s: %+v, want %+v", what, x[0], x[1])
			}
		}
		b, err := json.Marshal(got.Rows[1])
		if err != nil || got.Rows[1].Administration != few.Administration || strings.Contains(string(b), ":1,") {
			t.Errorf("%s, %v", b, err)
		}
		ratings, err := w.Ratings(t.Context(), studies)
		if err != nil || len(ratings) != 6 || ratings[0].Remark != "It went well" {
			t.Error(ratings, err)
		}
		if ratings, err = w.Ratings(t.Context(), other); err != nil || len(ratings) != 0 {
			t.Error(ratings, err)
		}
	})
}

func TestHiddenNumbersStayHidden(t *testing.T) {
	parts := []Count{count(97), count(3), count(40), count(0)}
	hideSecond(&parts[0], &parts[1], &parts[2], &parts[3])
	if want := []bool{false, true, true, false}; !slices.Equal([]bool{parts[0].Few, parts[1].Few, parts[2].Few, parts[3].Few}, want) {
		t.Errorf("%+v", parts)
	}
}

func TestComplaint(t *testing.T) {
	each(t, func(w *world) {
		w.Complaints = ComplaintRules{AnswerDays: 60, MendDays: 15}
		if _, err := w.Complain(t.Context(), salma.ID, "", "", "Nobody answers."); codeOf(err) != "complaint.administration" {
			t.Error(err)
		}
		if _, err := w.Complain(t.Context(), salma.ID, "commune", "", " \u202e "); codeOf(err) != "case.reasons_missing" {
			t.Error(err)
		}
		theirs := w.file(func(f *Filing) { f.Person, f.By = idris.ID, idris })
		if _, err := w.Complain(t.Context(), salma.ID, "", theirs.Number, "x"); codeOf(err) != "case.not_found" {
			t.Error("about somebody else's case:", err)
		}
		mine := w.file()
		c, err := w.Complain(t.Context(), salma.ID, "elsewhere", mine.Number, "Nobody answers.")
		if err != nil || c.Administration != "commune" || c.Due.String() != "2026-05-01" {
			t.Fatal(c, err)
		}
		if list, err := w.ComplaintsTo(t.Context(), other); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		if err := w.AnswerComplaint(t.Context(), other, c.Number, ComplaintAnswered, "x", 0); codeOf(err) != "complaint.not_found" {
			t.Error(err)
		}
		w.hand.days(10)
		if err := w.AnswerComplaint(t.Context(), studies, c.Number, ComplaintMend, "", 0); codeOf(err) != "case.reasons_missing" {
			t.Error(err)
		}
		if err := w.AnswerComplaint(t.Context(), studies, c.Number, ComplaintMend, "About which day?", 1); err != nil {
			t.Fatal(err)
		}
		if err := w.AnswerComplaint(t.Context(), studies, c.Number, ComplaintAnswered, "x", 1); codeOf(err) != "complaint.changed" {
			t.Error(err)
		}
		if err := w.MendComplaint(t.Context(), idris.ID, c.Number, "x", 0); codeOf(err) != "complaint.not_found" {
			t.Error(err)
		}
		if err := w.MendComplaint(t.Context(), salma.ID, c.Number, "Monday.", 2); err != nil {
			t.Fatal(err)
		}
		list, err := w.ComplaintsTo(t.Context(), studies)
		if err != nil || len(list) != 1 || list[0].Due.String() != "2026-05-11" || len(list[0].Said) != 3 || list[0].Said[2].Text != "Monday." {
			t.Fatal(list, err)
		}
		w.hand.days(20)
		if err := w.AnswerComplaint(t.Context(), studies, c.Number, ComplaintMend, "Which?", 0); codeOf(err) != "complaint.mend_late" {
			t.Error(err)
		}
		if err := w.AnswerComplaint(t.Context(), studies, c.Number, ComplaintAnswered, "We are sorry.", 0); err != nil {
			t.Fatal(err)
		}
		if err := w.MendComplaint(t.Context(), salma.ID, c.Number, "And?", 0); codeOf(err) != "complaint.closed" {
			t.Error(err)
		}
		own, err := w.ComplaintsOf(t.Context(), salma.ID)
		if err != nil || len(own) != 1 || own[0].State != ComplaintAnswered || own[0].Late(w.today()) {
			t.Error(own, err)
		}
		late, err := w.Complain(t.Context(), salma.ID, "commune", "", "Again.")
		if err != nil {
			t.Fatal(err)
		}
		w.hand.days(61)
		if own, err = w.ComplaintsOf(t.Context(), salma.ID); err != nil || own[0].Number != late.Number || !own[0].Late(w.today()) {
			t.Error(own, err)
		}
		if _, text := exported(t, w, salma.ID); !strings.Contains(text, "We are sorry.") {
			t.Error("the export lacks the complaint")
		}
		w.keys.gone[salma.ID] = true
		w.hand.now = w.hand.now.Add(2 * keys.KeptFor)
		if own, err = w.ComplaintsOf(t.Context(), salma.ID); err != nil || len(own) != 2 || len(own[0].Said) != 0 {
			t.Error(own, err)
		}
	})
}
