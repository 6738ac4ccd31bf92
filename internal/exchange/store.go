package exchange

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of the exchange's directory.
func Migrations() db.Migrations { return db.Embedded("exchange", migrationFiles) }

// store is the SQL of the slice. Its methods run in the caller's transaction.
type store struct{ db *db.DB }

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// errNoMember says that nobody takes part under this identifier.
var errNoMember = problem.New(problem.NotFound, "exchange.member_not_found")

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain texts and lists are kept so
	}
	return string(b)
}

// moment keeps "never" as 0.
func moment(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return db.Micros(t)
}

func momentOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return db.Time(us)
}

// each reads the rows of a query.
func each(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
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

func (s store) member(ctx context.Context, q querier, id string) (*Member, error) {
	list, err := s.members(ctx, q, `WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoMember
	}
	return list[0], s.fill(ctx, q, list)
}

// allMembers returns every member with all that belongs to it.
func (s store) allMembers(ctx context.Context, q querier) ([]*Member, error) {
	list, err := s.members(ctx, q, "")
	if err != nil {
		return nil, err
	}
	return list, s.fill(ctx, q, list)
}

func (s store) members(ctx context.Context, q querier, where string, args ...any) (list []*Member, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var m Member
		var name string
		var suspended, created int64
		if err := r.Scan(&m.ID, &m.Administration, &name, &m.Contact, &m.LogKey, &m.WitnessKey, &suspended, &created); err != nil {
			return err
		}
		m.Suspended, m.Created = momentOf(suspended), db.Time(created)
		list = append(list, &m)
		return json.Unmarshal([]byte(name), &m.Name)
	}, `SELECT id, administration, name, contact, log_key, witness_key, suspended, created_at FROM exchange_member `+where+` ORDER BY id`, args...)
	return list, err
}

// fill reads what belongs to the members: of one alone, or of all in one go.
func (s store) fill(ctx context.Context, q querier, list []*Member) error {
	byID := map[string]*Member{}
	for _, m := range list {
		byID[m.ID] = m
	}
	where, args := "", []any(nil)
	if len(list) == 1 {
		where, args = ` WHERE member = $1`, []any{list[0].ID}
	}
	if err := s.nodes(ctx, q, where, args, byID); err != nil {
		return err
	}
	if err := s.keys(ctx, q, where, args, func(k Key) {
		if m := byID[k.Member]; m != nil {
			m.Keys = append(m.Keys, k)
		}
	}); err != nil {
		return err
	}
	if err := s.subsystems(ctx, q, where, args, byID); err != nil {
		return err
	}
	return s.services(ctx, q, where, args, func(v Service) {
		if m := byID[v.Member]; m != nil {
			m.Services = append(m.Services, v)
		}
	})
}

func (s store) nodes(ctx context.Context, q querier, where string, args []any, byID map[string]*Member) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var n Node
		var addresses, hosts string
		var since, seen, created int64
		if err := r.Scan(&n.Member, &n.Name, &addresses, &n.HTTP, &hosts, &n.Maintenance, &n.MaintenanceBy, &since, &seen, &created); err != nil {
			return err
		}
		n.MaintenanceSince, n.Seen, n.Created = momentOf(since), momentOf(seen), db.Time(created)
		if err := errors.Join(json.Unmarshal([]byte(addresses), &n.Addresses), json.Unmarshal([]byte(hosts), &n.Hosts)); err != nil {
			return err
		}
		if m := byID[n.Member]; m != nil {
			m.Nodes = append(m.Nodes, n)
		}
		return nil
	}, `SELECT member, name, addresses, http, hosts, maintenance, maintenance_by, maintenance_since, seen_at, created_at FROM exchange_node`+where+` ORDER BY member, name`, args...)
}

func (s store) keys(ctx context.Context, q querier, where string, args []any, add func(Key)) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var k Key
		var from, until, revoked int64
		if err := r.Scan(&k.SHA256, &k.Member, &k.Node, &k.Kind, &k.DER, &from, &until, &revoked, &k.Reason); err != nil {
			return err
		}
		k.NotBefore, k.NotAfter, k.Revoked = db.Time(from), db.Time(until), momentOf(revoked)
		add(k)
		return nil
	}, `SELECT sha256, member, node, kind, der, not_before, not_after, revoked_at, reason FROM exchange_key`+where+` ORDER BY member, node, kind, not_before, sha256`, args...)
}

func (s store) subsystems(ctx context.Context, q querier, where string, args []any, byID map[string]*Member) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var v Subsystem
		var name string
		if err := r.Scan(&v.ID, &v.Member, &v.Code, &name); err != nil {
			return err
		}
		if m := byID[v.Member]; m != nil {
			m.Subsystems = append(m.Subsystems, v)
			return json.Unmarshal([]byte(name), &m.Subsystems[len(m.Subsystems)-1].Name)
		}
		return nil
	}, `SELECT id, member, code, name FROM exchange_subsystem`+where+` ORDER BY member, code`, args...)
}

func (s store) services(ctx context.Context, q querier, where string, args []any, add func(Service)) error {
	return each(ctx, q, func(r *sql.Rows) error {
		var v Service
		var title, endpoints, basis, events string
		var updated int64
		err := r.Scan(&v.ID, &v.Member, &v.Subsystem, &v.Code, &v.Kind, &title, &endpoints, &v.Classification, &basis, &events, &v.Description, &v.Maintenance, &updated)
		if err != nil {
			return err
		}
		v.Updated = db.Time(updated)
		err = errors.Join(json.Unmarshal([]byte(title), &v.Title), json.Unmarshal([]byte(endpoints), &v.Endpoints),
			json.Unmarshal([]byte(basis), &v.LegalBasis), json.Unmarshal([]byte(events), &v.Events))
		add(v)
		return err
	}, `SELECT id, member, subsystem, code, kind, title, endpoints, classification, legal_basis, events, description, maintenance, updated_at
		FROM exchange_service`+where+` ORDER BY member, subsystem, code`, args...)
}

// changed says that what gateways must know is not what it was.
func (s store) changed(ctx context.Context, tx *db.Tx) (revision int64, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE exchange_state SET revision = revision + 1 WHERE id = 1 RETURNING revision`).Scan(&revision)
	return revision, err
}

func (s store) revision(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT revision FROM exchange_state WHERE id = 1`).Scan(&n)
	return n, err
}

func (s store) putKey(ctx context.Context, tx *db.Tx, k Key) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO exchange_key (sha256, member, node, kind, der, not_before, not_after, revoked_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (sha256) DO NOTHING`,
		k.SHA256, k.Member, k.Node, k.Kind, k.DER, db.Micros(k.NotBefore), db.Micros(k.NotAfter), moment(k.Revoked), k.Reason)
	return err
}
