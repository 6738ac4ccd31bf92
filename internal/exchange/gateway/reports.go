package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/gov"
)

// flushCounters writes what was counted since the last time. When it can't, it
// keeps nothing: counters are not proofs.
func (g *Gateway) flushCounters(ctx context.Context) error {
	return errors.Join(g.flushUsage(ctx), g.flushMonitoring(ctx), g.flushVolumes(ctx))
}

func (g *Gateway) flushUsage(ctx context.Context) error {
	counted := g.usage.take()
	if len(counted) == 0 {
		return nil
	}
	return g.db.RunTx(ctx, func(tx *db.Tx) error {
		for k, c := range counted {
			_, err := tx.ExecContext(ctx, `INSERT INTO gateway_usage (node, hour, side, client, service, calls, errors, bytes, millis_total, millis_max, reported)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) ON CONFLICT (node, hour, side, client, service) DO UPDATE SET
				calls = gateway_usage.calls + excluded.calls, errors = gateway_usage.errors + excluded.errors, bytes = gateway_usage.bytes + excluded.bytes,
				millis_total = gateway_usage.millis_total + excluded.millis_total,
				millis_max = CASE WHEN excluded.millis_max > gateway_usage.millis_max THEN excluded.millis_max ELSE gateway_usage.millis_max END, reported = 0`,
				g.cfg.Node, k.hour, k.side, k.client.String(), k.service.String(), c.calls, c.errors, c.bytes, c.millis, c.worst)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *Gateway) flushMonitoring(ctx context.Context) error {
	list := g.monitor.take()
	if len(list) == 0 {
		return nil
	}
	return g.db.RunTx(ctx, func(tx *db.Tx) error {
		for i := range list {
			body, err := json.Marshal(&list[i])
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO gateway_monitoring (id, node, at, body) VALUES ($1, $2, $3, $4)`, gov.NewID(), g.cfg.Node, list[i].RequestInTs*1000, string(body))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// flushVolumes adds what passed under limited contracts to what the other nodes
// say, and takes the sum over.
func (g *Gateway) flushVolumes(ctx context.Context) error {
	g.meters.mu.Lock()
	list := make(map[string]*meter, len(g.meters.byGrant))
	for k, m := range g.meters.byGrant {
		if m.perDay > 0 {
			list[k] = m
		}
	}
	g.meters.mu.Unlock()
	for k, m := range list {
		m.mu.Lock()
		m.turn(g.clock.Now())
		day, unsaid := m.day, m.unsaid
		m.mu.Unlock()
		var total int64
		err := g.db.RunTx(ctx, func(tx *db.Tx) error {
			return tx.QueryRowContext(ctx, `INSERT INTO gateway_volume (permit, day, bytes) VALUES ($1, $2, $3) ON CONFLICT (permit, day) DO UPDATE SET bytes = gateway_volume.bytes + excluded.bytes RETURNING bytes`,
				k, day, unsaid).Scan(&total)
		})
		if err != nil {
			return err
		}
		m.mu.Lock()
		if m.day == day {
			m.unsaid -= unsaid
			m.bytes = total + m.unsaid
		}
		m.mu.Unlock()
	}
	return nil
}

// refusedForGood tells whether the directory will never take a report: it is then
// set aside, so that others get through.
func refusedForGood(err error) bool {
	var e *directory.Error
	return errors.As(err, &e) && (e.Status == 400 || e.Status == 413 || e.Status == 422)
}

// sendNotices tells the directory of exchanges about people.
func (g *Gateway) sendNotices(ctx context.Context) error {
	for {
		var ids []string
		var list []directory.Notice
		err := g.store.each(ctx, func(r *sql.Rows) error {
			var id, body string
			if err := r.Scan(&id, &body); err != nil {
				return err
			}
			var n directory.Notice
			if err := json.Unmarshal([]byte(body), &n); err != nil {
				return err
			}
			ids, list = append(ids, id), append(list, n)
			return nil
		}, `SELECT id, body FROM gateway_notice WHERE node = $1 ORDER BY at, id LIMIT $2`, g.cfg.Node, directory.MaxReported)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := g.report(ctx, "notices", len(list), func(from, to int) error { return g.directory.Notices(ctx, list[from:to]) }); err != nil {
			return err
		}
		err = g.db.RunTx(ctx, func(tx *db.Tx) error {
			for _, id := range ids {
				if _, err := tx.ExecContext(ctx, `DELETE FROM gateway_notice WHERE id = $1`, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// report sends a list, and one by one what the directory refuses together: one
// that is wrong must not keep the others.
func (g *Gateway) report(ctx context.Context, kind string, n int, send func(from, to int) error) error {
	err := send(0, n)
	if !refusedForGood(err) {
		if err != nil {
			g.metrics.sent.WithLabelValues(kind, "failed").Add(float64(n))
			return err
		}
		g.metrics.sent.WithLabelValues(kind, "taken").Add(float64(n))
		return nil
	}
	for i := range n {
		err := send(i, i+1)
		switch {
		case refusedForGood(err):
			g.metrics.sent.WithLabelValues(kind, "refused").Inc()
			g.log.Error("exchange: the directory does not take a report", "kind", kind, "err", err)
		case err != nil:
			return err
		default:
			g.metrics.sent.WithLabelValues(kind, "taken").Inc()
		}
	}
	return ctx.Err()
}

// sendUsage tells the directory the counters of the hours that changed.
func (g *Gateway) sendUsage(ctx context.Context) error {
	for {
		var list []directory.Usage
		err := g.store.each(ctx, func(r *sql.Rows) error {
			var u directory.Usage
			var hour int64
			err := r.Scan(&hour, &u.Side, &u.Client, &u.Service, &u.Calls, &u.Errors, &u.Bytes, &u.MillisTotal, &u.MillisMax)
			u.Hour = time.Unix(hour*3600, 0).UTC()
			list = append(list, u)
			return err
		}, `SELECT hour, side, client, service, calls, errors, bytes, millis_total, millis_max FROM gateway_usage WHERE node = $1 AND reported = 0 ORDER BY hour LIMIT $2`, g.cfg.Node, directory.MaxReported)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := g.report(ctx, "usage", len(list), func(from, to int) error { return g.directory.Usage(ctx, list[from:to]) }); err != nil {
			return err
		}
		err = g.db.RunTx(ctx, func(tx *db.Tx) error {
			for _, u := range list {
				// What was counted since is still to be said.
				_, err := tx.ExecContext(ctx, `UPDATE gateway_usage SET reported = 1 WHERE node = $1 AND hour = $2 AND side = $3 AND client = $4 AND service = $5 AND calls = $6`,
					g.cfg.Node, u.Hour.Unix()/3600, u.Side, u.Client, u.Service, u.Calls)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(list) < directory.MaxReported {
			return nil
		}
	}
}
