package main

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/app"
	"diwan/internal/casework"
	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// rowsAtOnce is how many rows come in at once.
const rowsAtOnce = 25

// madeCase is a case as it is written: its columns, and its events in order.
type madeCase struct {
	id, number string
	events     []clock.Event
}

// shares of a hundred cases that are open: most run, some wait for the person, and
// one has a day that has come.
func eventsOf(i int, today gov.Date) (events []clock.Event) {
	complete, incomplete := true, false
	age := i / 100 % 29
	switch k := i % 100; {
	case k < 1: // silence has its effect today
		return []clock.Event{{On: today.AddDays(-32), Type: clock.Filed, Complete: &complete}}
	case k < 9:
		return []clock.Event{{On: today.AddDays(-age), Type: clock.Filed, Complete: &incomplete}}
	case k < 22:
		return []clock.Event{{On: today.AddDays(-age - 12), Type: clock.Filed, Complete: &complete}, {On: today.AddDays(-age - 2), Type: clock.InformationRequested, Reason: "stated"}}
	case k < 40:
		return []clock.Event{{On: today.AddDays(-20 - age/4), Type: clock.Filed, Complete: &complete}, {On: today.AddDays(-15), Type: clock.InformationRequested, Reason: "stated"},
			{On: today.AddDays(-10), Type: clock.InformationReceived}}
	}
	return []clock.Event{{On: today.AddDays(-age), Type: clock.Filed, Complete: &complete}}
}

// fill gives one administration n open cases, by statements of many rows, each
// with what the person said sealed under their key and its journal chained.
func (w *caseworkWorld) fill(ctx context.Context, n int) error {
	start := time.Now()
	if err := w.putTerms(ctx); err != nil {
		return err
	}
	people := min(benchPeople, n)
	seals := make([]cipher.AEAD, people)
	if err := each(8, people, func(i int) (err error) { seals[i], err = w.sealFor(ctx, person(i)); return err }); err != nil {
		return err
	}
	today := gov.DateOf(w.clock.now, w.pack.Country.Zone())
	indexes, err := w.dropIndexes(ctx)
	if err != nil {
		return err
	}
	for from := 0; from < n; from += 200 * rowsAtOnce {
		err := w.db.RunTx(ctx, func(tx *db.Tx) error {
			for at := from; at < min(n, from+200*rowsAtOnce); at += rowsAtOnce {
				if err := w.someCases(ctx, tx, at, min(n, at+rowsAtOnce), today, seals); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, q := range indexes {
		if _, err := w.db.Writer().ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if w.db.Engine() == db.Postgres { // what runs by itself on a server that lives longer
		if _, err := w.db.Writer().ExecContext(ctx, `VACUUM ANALYZE casework_case`); err != nil {
			return err
		}
	}
	fmt.Printf("%d open cases of one administration, with their journals, in %v\n", n, time.Since(start).Round(time.Second))
	return nil
}

func (w *caseworkWorld) putTerms(ctx context.Context) error {
	return w.db.RunTx(ctx, func(tx *db.Tx) error {
		for i := range w.terms {
			b, err := json.Marshal(w.terms[i])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO casework_terms (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, chainHash("terms", string(b)), string(b)); err != nil {
				return err
			}
		}
		return nil
	})
}

// chainHash is the hash that the casework chains a journal by.
func chainHash(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func dayOr(d gov.Date, none string) string {
	if d.IsZero() {
		return none
	}
	return d.String()
}

func (w *caseworkWorld) someCases(ctx context.Context, tx *db.Tx, from, to int, today gov.Date, seals []cipher.AEAD) error {
	var cases, events []any
	now := w.clock.now.UnixMicro()
	for i := from; i < to; i++ {
		who := i % len(seals)
		terms := w.terms[i%benchProcedures]
		body, err := json.Marshal(terms)
		if err != nil {
			return err
		}
		m := madeCase{id: gov.NewID(), number: casework.NewNumber(today.Year), events: eventsOf(i, today)}
		seen := today
		if i%100 == 0 { // as it was yesterday, before its day came
			seen = today.AddDays(-1)
		}
		stands, err := clock.Look(&w.Rules, &clock.Input{DeadlineDays: terms.DeadlineDays, Lists: terms.Lists, Authority: terms.Authority, Events: m.events, AsOf: seen})
		if err != nil {
			return err
		}
		head := chainHash("case", bigOffice, m.id, m.number)
		for seq, e := range m.events {
			clear, err := json.Marshal(casework.Clear{Complete: e.Complete, Ground: e.Reason, Role: casework.AsOfficer})
			if err != nil {
				return err
			}
			head = chainHash(head, strconv.Itoa(seq+1), string(e.Type), e.On.String(), strconv.FormatInt(now, 10), "officer", string(clear), chainHash("sealed", ""))
			events = append(events, bigOffice, m.id, seq+1, string(e.Type), e.On.String(), now, "officer", string(clear), []byte{}, head)
		}
		content, err := json.Marshal(casework.Content{Applicant: gov.Text{"fr": person(who)}, Answers: answers(i)})
		if err != nil {
			return err
		}
		filed := m.events[0].On
		assigned := ""
		if i%3 > 0 {
			assigned = fmt.Sprintf("officer-%d", i%200)
		}
		due := dayOr(stands.Due, "9999-12-31")
		cases = append(cases, bigOffice, m.id, m.number, terms.Procedure, chainHash("terms", string(body)), "1", fmt.Sprintf("unit-%d", i%benchUnits), person(who), "reference-"+strconv.Itoa(who), person(who),
			"ar", casework.Online, string(stands.State), true, filed.String(), due, "", dayOr(stands.Change, ""), filed.String(), assigned, "", strconv.Itoa(i), "",
			seals[who].Seal(nil, nil, content, []byte("case "+m.id)), head, len(m.events), 1, now-int64(i), now)
	}
	const caseColumns = `administration, id, number, procedure, terms, form, unit, person, reference, filer, lang, channel, state, open, filed_on, due, silence_from, next_on, last_on,
		assigned, asked_of, duplicate, earlier, sealed, head, events, version, created_at, updated_at`
	if err := insertRows(ctx, tx, w.db.Engine(), "casework_case", caseColumns, cases); err != nil {
		return err
	}
	return insertRows(ctx, tx, w.db.Engine(), "casework_event", `administration, case_id, seq, type, on_day, at, actor, clear, sealed, hash`, events)
}

// dropIndexes takes the indexes of the cases away and returns the statements that
// bring them back: to fill a table and index it then takes a tenth of the time.
func (w *caseworkWorld) dropIndexes(ctx context.Context) (again []string, err error) {
	q := `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'casework_case' AND sql IS NOT NULL`
	if w.db.Engine() == db.Postgres {
		q = `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'casework_case' AND indexname NOT LIKE '%_pkey'`
	}
	rows, err := w.db.Writer().QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	var names []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		names, again = append(names, name), append(again, text)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for _, n := range names {
		if _, err := w.db.Writer().ExecContext(ctx, "DROP INDEX "+n); err != nil {
			return nil, err
		}
	}
	return again, nil
}

// insertRows writes rows. A server is spared the way there and back of each; to the
// engine in the process a statement of many rows costs more than many of one.
func insertRows(ctx context.Context, tx *db.Tx, engine db.Engine, table, columns string, values []any) error {
	width := strings.Count(columns, ",") + 1
	at := len(values)
	if engine == db.SQLite {
		at = width
	}
	var q strings.Builder
	fmt.Fprintf(&q, "INSERT INTO %s (%s) VALUES ", table, columns)
	for i := range at {
		switch {
		case i%width > 0:
			q.WriteString(", ")
		case i > 0:
			q.WriteString("), (")
		default:
			q.WriteByte('(')
		}
		fmt.Fprintf(&q, "$%d", i+1)
	}
	q.WriteByte(')')
	stmt, err := tx.PrepareContext(ctx, q.String())
	if err != nil {
		return err
	}
	defer stmt.Close()
	for row := range slices.Chunk(values, at) {
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

// benchOfficer supervises the administration with all its units.
var benchOfficer = gov.Actor{ID: "officer-1", Name: gov.Text{"fr": "Agent"}, Administration: bigOffice, Roles: []gov.Role{gov.RoleSupervise, gov.RoleStudy, gov.RoleReceive}}

// inbox asks for the pages of the desk over HTTP, at a steady pace.
func (b *bench) inbox(ctx context.Context, w *caseworkWorld, name string, size caseworkSize) error {
	words, err := app.Words(w.pack)
	if err != nil {
		return err
	}
	officer := benchOfficer
	site, err := web.NewSite(web.Site{Country: w.pack.Country, Words: words, Clock: w.clock, Log: w.Log, Who: func(*http.Request) gov.Actor { return officer }}, app.TemplateSets())
	if err != nil {
		return err
	}
	desk := &casework.Desk{Casework: w.Casework, Site: site, Actor: func(r *http.Request) gov.Actor {
		a := officer
		a.Unit = r.URL.Query().Get("as")
		return a
	}, Fresh: func(*http.Request) bool { return false }, Confirm: func(string) string { return "" },
		Colleagues: func(*http.Request, string) ([]gov.Actor, error) { return nil, nil }}
	pages, mux := http.NewServeMux(), http.NewServeMux()
	desk.Register(pages)
	site.Mount(mux, pages)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	defer server.Close()
	var paths []string
	for _, view := range []string{"all", "risk", "week", "stopped", "mine", "nobody", "closed"} {
		paths = append(paths, "/ar/office/cases?view="+view, "/ar/office/cases?as=unit-3&view="+view)
	}
	for _, p := range paths { // also warms what is made once
		start := time.Now()
		c, err := dial(l.Addr().String())
		if err != nil {
			return err
		}
		status, bytes, err := c.get(p)
		c.conn.Close()
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("%s answers %d: %w", p, status, err)
		}
		fmt.Printf("%s%s: %d bytes in %v, the first time\n", name, p, bytes, time.Since(start).Round(100*time.Microsecond))
	}
	times, err := paced(ctx, l.Addr().String(), paths, size.readers, size.inbox)
	if err != nil {
		return err
	}
	b.atMost(name+"inbox_p50_ms", ms(percentile(times, .5)), 50)
	b.atMost(name+"inbox_p99_ms", ms(percentile(times, .99)), 50)
	return nil
}

// sweeping lets a day come for all cases, and then looks at every one again.
func (b *bench) sweeping(ctx context.Context, w *caseworkWorld, name string) error {
	start := time.Now()
	moved, err := w.Sweep(ctx)
	took := time.Since(start)
	if err != nil {
		return err
	}
	fmt.Printf("%s: a sweep moved %d cases in %v\n", name, moved, took.Round(time.Millisecond))
	b.atMost(name+"sweep_seconds", took.Seconds(), 10)
	start = time.Now()
	again, err := w.Sweep(ctx)
	if err != nil || again != 0 {
		return fmt.Errorf("the sweep after the sweep moved %d cases: %w", again, err)
	}
	fmt.Printf("%s: the next sweep, with nothing to do, took %v\n", name, time.Since(start).Round(10*time.Microsecond))
	start = time.Now()
	looked, changed, err := w.Recount(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d open cases were counted again from their events, %d stood otherwise\n", name, looked, changed)
	b.atMost(name+"recount_seconds", time.Since(start).Seconds(), 60)
	return nil
}
