package translog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"diwan/internal/db"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// tileHeight is that of the format: 2^8 hashes a tile.
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// errHole says that the database lacks a part of the tree.
var errHole = errors.New("the log's database lacks a part of the tree")

// tree reads hashes of one log's tree, each tile once. It is for one use.
type tree struct {
	ctx    context.Context
	q      querier
	origin string
	tiles  map[[2]int64][]byte
}

var _ tlog.HashReader = (*tree)(nil)

func newTree(ctx context.Context, q querier, origin string) *tree {
	return &tree{ctx, q, origin, map[[2]int64][]byte{}}
}

func (t *tree) tile(level int, n int64) ([]byte, error) {
	at := [2]int64{int64(level), n}
	if b, ok := t.tiles[at]; ok {
		return b, nil
	}
	var b []byte
	err := t.q.QueryRowContext(t.ctx, `SELECT data FROM translog_tile WHERE origin = $1 AND level = $2 AND n = $3`, t.origin, level, n).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errHole
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log's tree: %w", err)
	}
	t.tiles[at] = b
	return b, nil
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		at := tlog.TileForIndex(tileHeight, x)
		b, err := t.tile(at.L, at.N)
		if err != nil {
			return nil, err
		}
		if len(b) < at.W*tlog.HashSize {
			return nil, errHole
		}
		if hashes[i], err = tlog.HashFromTile(at, b[:at.W*tlog.HashSize], x); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// grow appends leaves to a tree of size entries. Tiles that are full go out at
// once, those that still grow at the end.
func (t *tree) grow(tx *db.Tx, size int64, entries []Entry) error {
	dirty := map[int]int64{} // level → number of the tile that grew
	var add func(level int, count int64, h tlog.Hash) error
	add = func(level int, count int64, h tlog.Hash) error {
		n, w := count/tileWidth, int(count%tileWidth)
		at := [2]int64{int64(level), n}
		if w == 0 {
			t.tiles[at] = make([]byte, 0, tileWidth*tlog.HashSize)
		}
		b, err := t.tile(level, n)
		if err != nil {
			return err
		}
		if len(b) != w*tlog.HashSize {
			return errHole
		}
		t.tiles[at] = append(b, h[:]...)
		dirty[level] = n
		if w+1 < tileWidth {
			return nil
		}
		if err := t.write(tx, level, n); err != nil {
			return err
		}
		delete(dirty, level)
		full := fold(t.tiles[at])
		delete(t.tiles, at)
		return add(level+1, n, full)
	}
	for i, e := range entries {
		if err := add(0, size+int64(i), e.leaf()); err != nil {
			return err
		}
	}
	for level, n := range dirty {
		if err := t.write(tx, level, n); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) write(tx *db.Tx, level int, n int64) error {
	_, err := tx.ExecContext(t.ctx, `INSERT INTO translog_tile (origin, level, n, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (origin, level, n) DO UPDATE SET data = excluded.data`, t.origin, level, n, t.tiles[[2]int64{int64(level), n}])
	if err != nil {
		return fmt.Errorf("writing the log's tree: %w", err)
	}
	return nil
}

// fold returns the hash of a full tile.
func fold(b []byte) tlog.Hash {
	if len(b) == tlog.HashSize {
		return tlog.Hash(b)
	}
	return tlog.NodeHash(fold(b[:len(b)/2]), fold(b[len(b)/2:]))
}
