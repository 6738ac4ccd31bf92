package gateway

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"diwan/internal/db"
)

// Several nodes of one member share a database and nothing else. None is primary:
// what one must know of another is which process it is and whether it lives, so that
// nobody waits for the outcome of a request that ended with its node.

// beatEvery is how often a node says that it lives; after goneAfter without a word
// it is taken for gone. A node that is wrongly taken so loses nothing: a request that
// it has claimed is passed to the service by nobody else.
const (
	beatEvery = 5 * time.Second
	goneAfter = 20 * time.Second
)

// several tells whether the member has more nodes than this one.
func (g *Gateway) several() bool {
	t := g.trust.Load()
	if t == nil {
		return false
	}
	m := t.view.Members[g.cfg.Member]
	return m != nil && len(m.Nodes) > 1
}

// beat says that this node lives, where there are others to hear it.
func (g *Gateway) beat(ctx context.Context) error {
	if !g.several() {
		return nil
	}
	return g.store.beat(ctx, g.boot, g.clock.Now())
}

func (s store) beat(ctx context.Context, boot string, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO gateway_node (node, boot, seen) VALUES ($1, $2, $3) ON CONFLICT (node) DO UPDATE SET boot = excluded.boot, seen = excluded.seen`,
		s.node, boot, db.Micros(now))
	return err
}

// gone tells whether a process of another node is known to be no more.
func (s store) gone(ctx context.Context, node, boot string, now time.Time) (bool, error) {
	var is string
	var seen int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT boot, seen FROM gateway_node WHERE node = $1`, node).Scan(&is, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return is != boot || now.Sub(db.Time(seen)) > goneAfter, err
}
