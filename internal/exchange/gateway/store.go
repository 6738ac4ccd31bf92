package gateway

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of a gateway.
func Migrations() db.Migrations { return db.Embedded("gateway", migrationFiles) }

// store is the SQL of the gateway. Nothing of it is asked for an exchange that
// changes nothing.
type store struct {
	db   *db.DB
	node string
}

// exec runs one statement as a transaction of its own.
func (s store) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, query, args...)
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	return n, err
}

// each reads the rows of a query.
func (s store) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.db.Reader().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cursor tells how far this node has read something; "" from the beginning.
func (s store) cursor(ctx context.Context, name string) (v string, err error) {
	err = s.db.Reader().QueryRowContext(ctx, `SELECT value FROM gateway_cursor WHERE node = $1 AND name = $2`, s.node, name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

func (s store) setCursor(ctx context.Context, tx *db.Tx, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gateway_cursor (node, name, value) VALUES ($1, $2, $3) ON CONFLICT (node, name) DO UPDATE SET value = excluded.value`, s.node, name, value)
	return err
}

// contracts returns what is kept.
func (s store) contracts(ctx context.Context) (map[string]contract.Signed, error) {
	out := map[string]contract.Signed{}
	err := s.each(ctx, func(r *sql.Rows) error {
		var hash, list string
		var c contract.Signed
		if err := r.Scan(&hash, &c.Content, &list); err != nil {
			return err
		}
		out[hash] = c
		if err := json.Unmarshal([]byte(list), &c.Signatures); err != nil {
			return fmt.Errorf("contract %s: %w", hash, err)
		}
		out[hash] = c
		return nil
	}, `SELECT hash, content, signatures FROM gateway_contract`)
	return out, err
}

func (s store) putContract(ctx context.Context, tx *db.Tx, hash string, c contract.Signed) error {
	list, err := json.Marshal(c.Signatures)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_contract (hash, content, signatures) VALUES ($1, $2, $3) ON CONFLICT (hash) DO UPDATE SET signatures = excluded.signatures`,
		hash, c.Content, string(list))
	return err
}

// sweep forgets what was kept for long enough.
func (s store) sweep(ctx context.Context, now time.Time, outcomes, records time.Duration) error {
	for _, q := range []struct {
		query  string
		before time.Time
	}{
		{`DELETE FROM gateway_outcome WHERE at < $1`, now.Add(-outcomes)},
		{`DELETE FROM gateway_exchange WHERE at < $1`, now.Add(-records)},
		{`DELETE FROM gateway_monitoring WHERE at < $1`, now.Add(-monitoringKept)},
		{`DELETE FROM gateway_event WHERE at < $1`, now.Add(-eventsKept)},
	} {
		if _, err := s.exec(ctx, q.query, db.Micros(q.before)); err != nil {
			return fmt.Errorf("forgetting what is old: %w", err)
		}
	}
	if _, err := s.exec(ctx, `DELETE FROM gateway_volume WHERE day < $1`, now.Unix()/86400-1); err != nil {
		return err
	}
	_, err := s.exec(ctx, `DELETE FROM gateway_usage WHERE node = $1 AND hour < $2`, s.node, now.Add(-usageKept).Unix()/3600)
	return err
}

// How long things are kept that no law asks for.
const (
	monitoringKept = 7 * 24 * time.Hour
	eventsKept     = 30 * 24 * time.Hour
	usageKept      = 400 * 24 * time.Hour
)
