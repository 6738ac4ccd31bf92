package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/gov"
)

// Closure is a node's maintenance. While it lasts the services behind this node are
// not asked; it lasts until somebody ends it, over any restart.
type Closure struct {
	Reason string
	By     string // who closed it, as they named themselves
	Since  time.Time
	// Told says that the directory knows; it is told as soon as it can be reached.
	Told bool
}

// Bounds of what an operator says of a closure, in bytes.
const (
	maxReason = 500
	maxBy     = 100
)

// ErrClosure says that a closure lacks its reason or its author, or names them at
// too great a length.
var ErrClosure = errors.New("maintenance needs a reason (up to 500 bytes) and a name of who closes (up to 100)")

func checkClosure(reason, by string) error {
	if reason == "" || by == "" || len(reason) > maxReason || len(by) > maxBy || strings.ContainsAny(reason+by, "\r\n\x00") {
		return ErrClosure
	}
	return nil
}

// closure is what is kept of a node; nil when nothing is. One without a reason is
// over, and the directory is still to be told.
func (s store) closure(ctx context.Context) (*Closure, error) {
	var c Closure
	var since, told int64
	err := s.db.Reader().QueryRowContext(ctx, `SELECT reason, closed_by, since, told FROM gateway_maintenance WHERE node = $1`, s.node).Scan(&c.Reason, &c.By, &since, &told)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	c.Since, c.Told = db.Time(since), told != 0
	return &c, err
}

func (s store) putClosure(ctx context.Context, c *Closure) error {
	_, err := s.exec(ctx, `INSERT INTO gateway_maintenance (node, reason, closed_by, since, told) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT (node) DO UPDATE SET reason = excluded.reason, closed_by = excluded.closed_by, since = excluded.since, told = 0`, s.node, c.Reason, c.By, db.Micros(c.Since))
	return err
}

// told notes that the directory knows; of a closure that is over nothing is left.
func (s store) told(ctx context.Context, c *Closure) error {
	query := `UPDATE gateway_maintenance SET told = 1 WHERE node = $1 AND since = $2`
	if c.Reason == "" {
		query = `DELETE FROM gateway_maintenance WHERE node = $1 AND since = $2 AND reason = ''`
	}
	_, err := s.exec(ctx, query, s.node, db.Micros(c.Since))
	return err
}

// openClosure takes up what was kept before this process began.
func (g *Gateway) openClosure(ctx context.Context) error {
	c, err := g.store.closure(ctx)
	if err != nil {
		return fmt.Errorf("reading the maintenance: %w", err)
	}
	if c != nil {
		g.setClosure(c)
	}
	if c != nil && c.Reason != "" {
		g.log.Warn("exchange: this node is closed for maintenance", "reason", c.Reason, "since", c.Since)
	}
	return nil
}

func (g *Gateway) setClosure(c *Closure) {
	if !c.Told {
		g.untold.Store(c)
	}
	if c.Reason == "" {
		c = nil
	}
	g.closed.Store(c)
}

// CloseFor closes this node for maintenance. It is kept before it takes effect. Other
// gateways are told so by each answer, and the directory as soon as it can be
// reached: that it is away does not keep a node open.
func (g *Gateway) CloseFor(ctx context.Context, reason, by string) error {
	if err := checkClosure(reason, by); err != nil {
		return &badRequest{err.Error()}
	}
	return g.keepClosure(ctx, &Closure{Reason: reason, By: by, Since: g.clock.Now()})
}

// Reopen ends the maintenance of this node.
func (g *Gateway) Reopen(ctx context.Context) error {
	if g.closed.Load() == nil {
		return nil
	}
	return g.keepClosure(ctx, &Closure{Since: g.clock.Now()})
}

// tellTime is how long an operator waits for the directory to hear of it.
const tellTime = 5 * time.Second

func (g *Gateway) keepClosure(ctx context.Context, c *Closure) error {
	g.closing.Lock()
	defer g.closing.Unlock()
	if err := g.store.putClosure(ctx, c); err != nil {
		return fmt.Errorf("keeping the maintenance: %w", err)
	}
	g.setClosure(c)
	g.log.Info("exchange: maintenance", "closed", c.Reason != "", "reason", c.Reason)
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	if err := g.tellClosure(ctx); err != nil {
		g.log.Warn("exchange: the directory does not know of the maintenance yet", "err", err)
	}
	return nil
}

// tellClosure tells the directory what it does not know yet.
func (g *Gateway) tellClosure(ctx context.Context) error {
	c := g.untold.Load()
	if c == nil {
		return nil
	}
	if err := g.tellState(ctx, "", ""); err != nil {
		return err
	}
	if err := g.store.told(ctx, c); err != nil {
		return err
	}
	if g.untold.CompareAndSwap(c, nil) && c.Reason != "" {
		told := *c
		told.Told = true
		g.closed.CompareAndSwap(c, &told)
	}
	return nil
}

// reachable tells whether others can reach this node; the directory keeps nothing of
// one that they can't.
func (g *Gateway) reachable() bool {
	return g.directory != nil && (len(g.cfg.Link.Addresses) > 0 || g.cfg.HTTP.Address != "")
}

// tellState tells the directory where this node is and whether it is closed, and the
// keys of log and witness when they are given.
func (g *Gateway) tellState(ctx context.Context, log, witness string) error {
	if !g.reachable() {
		return nil
	}
	g.telling.Lock()
	defer g.telling.Unlock()
	s := directory.NodeState{Addresses: g.cfg.Link.Addresses, HTTP: g.cfg.HTTP.Address, Log: log, Witness: witness}
	if c := g.closed.Load(); c != nil {
		s.Maintenance, s.MaintenanceBy, s.MaintenanceSince = c.Reason, c.By, c.Since
	}
	return g.directory.SetNode(ctx, s)
}

func (g *Gateway) adminMaintenance(r *http.Request) (any, error) {
	err := g.CloseFor(r.Context(), r.FormValue("reason"), r.FormValue("by"))
	return g.Status(), err
}

func (g *Gateway) adminOpen(r *http.Request) (any, error) {
	err := g.Reopen(r.Context())
	return g.Status(), err
}

// Maintenance closes a node for maintenance, or opens it again when reason is
// empty, from beside its gateway. A gateway that runs is told; of one that does not
// it is kept, and holds when it starts. running says which it was.
func Maintenance(ctx context.Context, cfg Config, reason, by string, clock gov.Clock) (running bool, err error) {
	cfg.defaults()
	if reason != "" {
		if err := checkClosure(reason, by); err != nil {
			return false, err
		}
	}
	if running, err = tellRunning(ctx, cfg, reason, by); running || err != nil {
		return running, err
	}
	d, err := db.Open(ctx, cfg.Database)
	if err != nil {
		return false, err
	}
	defer d.Close()
	if _, err := d.Migrate(ctx, migrations(), clock.Now()); err != nil {
		return false, err
	}
	return false, store{d, cfg.Node}.putClosure(ctx, &Closure{Reason: reason, By: by, Since: clock.Now()})
}

// tellRunning tells the gateway that runs with this configuration, if one does.
func tellRunning(ctx context.Context, cfg Config, reason, by string) (running bool, err error) {
	var nobody net.Error
	s, err := askAdmin(ctx, cfg, http.MethodGet, "/status")
	switch {
	case cfg.Admin.Listen == "", errors.As(err, &nobody) && !nobody.Timeout():
		return false, nil
	case err != nil:
		return false, err
	case s.Member != cfg.Member || s.Node != cfg.Node:
		return false, fmt.Errorf("at %s answers %s/%s, not this node", cfg.Admin.Listen, s.Member, s.Node)
	}
	if reason == "" {
		_, err = askAdmin(ctx, cfg, http.MethodDelete, "/maintenance")
		return true, err
	}
	_, err = askAdmin(ctx, cfg, http.MethodPut, "/maintenance?"+url.Values{"reason": {reason}, "by": {by}}.Encode())
	return true, err
}

func askAdmin(ctx context.Context, cfg Config, method, path string) (s Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+cfg.Admin.Listen+path, nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return s, err
	}
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("the gateway answers %s: %.200s", resp.Status, b)
	}
	return s, json.Unmarshal(b, &s)
}
