package exchange

import (
	"testing"

	"diwan/internal/db"
	"diwan/internal/exchange/translog"
	"diwan/internal/gov"
)

// A node brings the keys of its member's log and witness once, under the member's
// own name; other keys later need a person's invitation.
func TestLogKeysComeOnce(t *testing.T) { each2(t, logKeysComeOnce) }

func logKeysComeOnce(t *bench) {
	x := t.x
	const id = "XX/GOV/LOGS"
	ctx := t.Context()
	if err := x.AddMember(ctx, officer, Member{ID: id, Name: gov.Text{"en": "Logs"}}); err != nil {
		t.Fatal(err)
	}
	err := x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_node (member, name, addresses, http, hosts, maintenance, seen_at, created_at) VALUES ($1, 'n1', '[]', '', '[]', '', 0, 0)`, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key := func(fill byte) string {
		pub := make([]byte, 32)
		pub[0] = fill
		k, err := translog.LogKey(translog.MemberOrigin(id), pub)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	witness, err := translog.WitnessKey(translog.WitnessName(id), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	by := Caller{Member: id, Node: "n1"}
	set := func(log, witness string) error {
		return x.SetNode(ctx, by, NodeState{Addresses: []string{"10.0.0.1:5500"}, Log: log, Witness: witness})
	}
	for i, err := range []error{set(key(1), ""), set("", ""), set(key(1), witness), set("", witness)} {
		if err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if m, err := x.Member(ctx, id); err != nil || m.LogKey != key(1) || m.WitnessKey != witness {
		t.Errorf("kept %+v, %v", m, err)
	}
	for name, err := range map[string]error{"another log key": set(key(2), ""), "no key": set("nonsense", ""), "key of a witness": set(witness, "")} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// A time-stamp certificate is issued once for a key, and again before its end.
func TestStampCertificate(t *testing.T) {
	each2(t, func(b *bench) {
		key := newKey(b.T)
		first, err := b.x.StampCertificate(b.Context(), key.Public(), "stamps")
		if err != nil {
			b.Fatal(err)
		}
		again, err := b.x.StampCertificate(b.Context(), key.Public(), "stamps")
		if err != nil || !again.Equal(first) {
			b.Errorf("another certificate for the same key: %v", err)
		}
		b.clock.now = first.NotAfter.AddDate(0, 0, -10)
		next, err := b.x.StampCertificate(b.Context(), key.Public(), "stamps")
		if err != nil || next.Equal(first) || !next.NotAfter.After(first.NotAfter) {
			b.Errorf("the certificate is not replaced before its end: %v", err)
		}
	})
}
