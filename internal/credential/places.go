package credential

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// Places of a list, 2^placeBits, and how many a program takes at once.
const (
	placeBits  = 20
	listPlaces = 1 << placeBits
	blockOf    = 256
)

// space is a block of turns in a list that this program alone may give.
type space struct {
	list      string
	next, end int64
	order     order
}

// place is where the status of one copy stands.
type place struct {
	list  string
	index int64
}

// take gives n places. They look random to everybody without the secret, and none is
// ever given again: the block was taken in the database before.
func (s *Credentials) take(ctx context.Context, n int) ([]place, error) {
	out := make([]place, 0, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(out) < n {
		if s.space == nil || s.space.next == s.space.end {
			b, err := s.block(ctx)
			if err != nil {
				return nil, err
			}
			s.space = b
		}
		out = append(out, place{s.space.list, s.space.order.at(s.space.next)})
		s.space.next++
	}
	return out, nil
}

// block takes the next turns of the list that is being filled, or begins another.
func (s *Credentials) block(ctx context.Context) (*space, error) {
	b := &space{}
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE credential_list SET given = given + $1 WHERE id = (SELECT id FROM credential_list WHERE given + $1 <= places ORDER BY created_at, id LIMIT 1) RETURNING id, given`,
			blockOf).Scan(&b.list, &b.end)
		if errors.Is(err, sql.ErrNoRows) {
			b.list, b.end = gov.NewID()[:12], blockOf
			_, err = tx.ExecContext(ctx, `INSERT INTO credential_list (id, places, given, changes, created_at) VALUES ($1, $2, $3, 0, $4)`, b.list, listPlaces, blockOf, db.Micros(s.Clock.Now()))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("taking places in a status list: %w", err)
	}
	b.next, b.order = b.end-blockOf, newOrder(s.Secret, b.list)
	return b, nil
}

// order is a permutation of the places of a list: a Feistel network of four rounds
// (Luby and Rackoff) over two halves, keyed by the installation's secret.
type order struct{ key []byte }

func newOrder(secret []byte, list string) order {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("order of places in status list " + list))
	return order{m.Sum(nil)}
}

// at is the place of a turn; both are below listPlaces.
func (o order) at(turn int64) int64 {
	const half = placeBits / 2
	const mask = 1<<half - 1
	l, r := uint32(turn>>half), uint32(turn&mask)
	var in [5]byte
	for round := range byte(4) {
		in[0] = round
		binary.BigEndian.PutUint32(in[1:], r)
		m := hmac.New(sha256.New, o.key)
		m.Write(in[:])
		l, r = r, l^binary.BigEndian.Uint32(m.Sum(nil))&mask
	}
	return int64(l)<<half | int64(r)
}
