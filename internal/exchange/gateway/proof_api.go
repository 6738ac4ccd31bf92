package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/journal"
)

// Mount adds pages to the admin listener, before Run.
func (g *Gateway) Mount(pattern string, h http.Handler) {
	if g.extra == nil {
		g.extra = map[string]http.Handler{}
	}
	g.extra[pattern] = h
}

// Identity is the member and the node.
func (g *Gateway) Identity() (member, node string) { return g.cfg.Member, g.cfg.Node }

// DB is the gateway's database, for what is kept beside it.
func (g *Gateway) DB() *db.DB { return g.db }

// Now is the gateway's clock.
func (g *Gateway) Now() time.Time { return g.clock.Now() }

// noteAccess is the type of the journal's note that somebody looked into the log:
// JSON of access.
const noteAccess = journal.FirstNote + 33

// access is who looked for what.
type access struct {
	Officer string `json:"officer"`
	Action  string `json:"action"`
	Query   string `json:"query,omitempty"`
}

// maxQuery bounds what is noted of a search.
const maxQuery = 2000

// NoteAccess records that somebody looks into the log, and returns once that is
// durable: who may not be recorded may not look.
func (g *Gateway) NoteAccess(ctx context.Context, officer, action, query string) error {
	b, err := json.Marshal(access{officer, action, query[:min(len(query), maxQuery)]})
	if err != nil {
		return err
	}
	seq, err := g.journal.AppendNote(noteAccess, b)
	if err == nil {
		err = g.journal.Wait(ctx, seq)
	}
	if err != nil {
		return fmt.Errorf("recording who looks into the log: %w", err)
	}
	return nil
}

// Folder opens the data folder of this gateway as those do who check it from
// outside.
func (g *Gateway) Folder(ctx context.Context) (*Folder, error) {
	return OpenFolder(ctx, g.cfg.Data, g.cfg.Database, nil)
}

// Evidence makes the proof of an exchange by its request id, and checks it.
func (g *Gateway) Evidence(ctx context.Context, request string) (*Evidence, *EvidenceReport, error) {
	f, err := g.Folder(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	ev, err := f.Prove(ctx, Which{Request: request})
	if err != nil {
		return nil, nil, err
	}
	trusted, err := keptKeys(g.cfg.Data)
	if err != nil {
		return nil, nil, err
	}
	return ev, CheckEvidence(ev, EvidenceTrust{DirectoryKeys: trusted}), nil
}

// checkedCursor names the result of the last whole verification.
const checkedCursor = "whole verification"

// Times of the verification that a gateway makes of itself.
const (
	checkFirst = 30 * time.Second
	checkEvery = 24 * time.Hour
)

// checkNowAndThen verifies the whole journal soon after the start and then daily.
func (g *Gateway) checkNowAndThen(ctx context.Context) {
	if !pause(ctx, checkFirst) {
		return
	}
	g.every("whole verification", checkEvery, func(ctx context.Context) error {
		_, err := g.checkWhole(ctx, g.leisurely(ctx))
		return err
	})(ctx)
}

// leisurely makes a pace at which a verification takes no more than what the gateway
// has leisure for: after some records it waits until so much would have been free.
func (g *Gateway) leisurely(ctx context.Context) func() error {
	const piece = 64
	n, begin := 0, time.Now()
	return func() error {
		if n++; n%piece != 0 || g.proof.asked.Load() > 0 {
			return nil
		}
		took := time.Since(begin)
		err := g.leisure.owe(ctx, took)
		begin = time.Now()
		return err
	}
}

// CheckWhole verifies the whole journal against the log, and keeps the result. One
// verification runs at a time.
func (g *Gateway) CheckWhole(ctx context.Context) (*Whole, error) {
	g.proof.asked.Add(1) // one that goes on at leisure makes haste
	defer g.proof.asked.Add(-1)
	return g.checkWhole(ctx, nil)
}

func (g *Gateway) checkWhole(ctx context.Context, pace func() error) (*Whole, error) {
	g.proof.checking.Lock()
	defer g.proof.checking.Unlock()
	f, err := g.Folder(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	w, err := f.verifyAt(ctx, nil, pace)
	if err != nil {
		return nil, err
	}
	if !w.OK {
		g.log.Error("exchange: the journal does not hold", "faults", len(w.Faults)+w.More, "first", w.Faults[0].Seq, "kind", w.Faults[0].Kind)
	}
	b, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	return w, g.db.RunTx(ctx, func(tx *db.Tx) error { return g.store.setCursor(ctx, tx, checkedCursor, string(b)) })
}

// LastCheck returns the result of the last whole verification, nil when there was
// none.
func (g *Gateway) LastCheck(ctx context.Context) (*Whole, error) {
	text, err := g.store.cursor(ctx, checkedCursor)
	if err != nil || text == "" {
		return nil, err
	}
	var w Whole
	return &w, json.Unmarshal([]byte(text), &w)
}

// ProofFault says why the log is not fed any more, "" when all is well.
func (g *Gateway) ProofFault() string {
	if s := g.proof.fault.Load(); s != nil {
		return *s
	}
	return ""
}

// FolderOf finds the data folder and the database that a path names: the folder, or
// the configuration file of a gateway. Of a folder whose configuration lies beside
// it, as joining puts it, the database is the one that is named there.
func FolderOf(path string) (dir, database string, err error) {
	if strings.HasSuffix(path, ".toml") {
		c, err := ReadConfig(path)
		return c.Data, c.Database, err
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return "", "", fmt.Errorf("the data folder %s: %w", path, err)
	}
	here, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	c, err := ReadConfig(filepath.Join(filepath.Dir(here), "gateway.toml"))
	if err == nil && c.Data == here && !strings.HasPrefix(c.Database, "sqlite:") {
		database = c.Database
	}
	return path, database, nil
}
