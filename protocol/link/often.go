package link

import (
	"sync"

	"diwan/protocol/edverify"
)

// A key that signs often is worth a table of its multiples, with which a check takes
// less than half the time.
const (
	// oftenAfter is after how many checks: making the table takes as long as some ten.
	oftenAfter = 32
	// maxOften bounds the tables of a process, of 100 KB each. The oldest makes room.
	maxOften = 64
)

var often struct {
	sync.Mutex
	keys []*PublicKey // those with a table, the oldest first
}

// multiples returns the key's table, nil as long as it has none.
func (k *PublicKey) multiples() *edverify.Key {
	if t := k.table.Load(); t != nil {
		return t
	}
	if k.checks.Add(1) != oftenAfter {
		return nil
	}
	t, err := edverify.New(k.ed)
	if err != nil {
		return nil // nothing that it signed is accepted
	}
	often.Lock()
	defer often.Unlock()
	if len(often.keys) == maxOften {
		oldest := often.keys[0]
		often.keys = append(often.keys[:0], often.keys[1:]...)
		oldest.table.Store(nil)
		oldest.checks.Store(0)
	}
	often.keys = append(often.keys, k)
	k.table.Store(t)
	return t
}
