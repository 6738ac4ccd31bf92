package translog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"diwan/internal/exchange/translog/stamp"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kinds of what an audit of a log's own database finds, beside those of a monitor.
const (
	// Unsigned: a checkpoint that is kept is not signed by the log's key.
	Unsigned Kind = "unsigned"
	// Torn: the database lacks entries that the log counts.
	Torn Kind = "torn"
)

// AuditTrust is what an audit believes beforehand.
type AuditTrust struct {
	// Log is the log's key (LogKey), Witnesses those of others (WitnessKey).
	Log       string
	Witnesses []string
	Stamps    stamp.Trust
	// Seen are signed checkpoints that were seen elsewhere: by a witness, in a
	// proof, in a journal. Those that the log's key did not sign say nothing.
	Seen [][]byte
}

// AuditFinding is one thing that is wrong with a log. Size is the checkpoint's.
type AuditFinding struct {
	Kind   Kind
	Size   int64
	Detail string
}

// Mark is the largest checkpoint with some property; a size of 0 is none.
type Mark struct {
	Size int64     `json:"size"`
	At   time.Time `json:"at,omitzero"`
	Who  string    `json:"who,omitempty"`
}

// AuditReport is what an audit found.
type AuditReport struct {
	Size        int64
	Checkpoints int
	// Signed, Cosigned and Stamped are the largest checkpoints of their kind whose
	// signatures hold and whose root is that of the entries.
	Signed, Cosigned, Stamped Mark
	// Seen counts the checkpoints from elsewhere that were held against the log.
	Seen     int
	Findings []AuditFinding
}

// maxAuditFindings bounds a report.
const maxAuditFindings = 100

// Audit reads a whole log from its database, computes its tree anew from its
// entries, and holds every checkpoint that is kept or was seen elsewhere against
// it. The tiles are not looked at: they are what is computed here.
func (l *Log) Audit(ctx context.Context, t AuditTrust) (*AuditReport, error) {
	key, err := ParseLogKey(t.Log)
	if err != nil {
		return nil, err
	}
	a := &auditing{l: l, t: t, key: key, r: &AuditReport{}}
	for _, w := range t.Witnesses {
		k, err := parseWitnessKey(w)
		if err != nil {
			return nil, err
		}
		a.witnesses = append(a.witnesses, k)
	}
	// What was signed first: a log that goes on only gets larger meanwhile.
	if err := a.collect(ctx); err != nil {
		return nil, err
	}
	if a.r.Size, err = l.Size(ctx); err != nil {
		return nil, err
	}
	return a.r, a.walk(ctx)
}

type auditing struct {
	l         *Log
	t         AuditTrust
	key       note.Verifier
	witnesses []*witnessKey
	r         *AuditReport
	// want are the roots that were signed, by size; two at one size are a fork.
	want map[int64][]tlog.Hash
}

func (a *auditing) add(kind Kind, size int64, detail string) {
	if len(a.r.Findings) < maxAuditFindings {
		a.r.Findings = append(a.r.Findings, AuditFinding{kind, size, detail})
	}
}

// collect reads what was signed.
func (a *auditing) collect(ctx context.Context) error {
	a.want = map[int64][]tlog.Hash{}
	for _, s := range a.t.Seen {
		c, _, err := OpenCheckpoint(s, a.key)
		if err != nil || c.Origin != a.l.origin {
			continue
		}
		a.r.Seen++
		a.note(c)
	}
	sizes, err := a.l.sizes(ctx)
	if err != nil {
		return err
	}
	a.r.Checkpoints = len(sizes)
	for _, n := range sizes {
		s, err := a.l.At(ctx, n)
		if errors.Is(err, ErrNotThere) {
			continue // thinned out just now
		}
		if err != nil {
			return err
		}
		c, text, err := OpenCheckpoint(s.Note, a.key)
		if err != nil || c.Origin != a.l.origin || c.Size != n {
			a.add(Unsigned, n, "the checkpoint that is kept is not one of the log's key")
			continue
		}
		a.note(c)
		a.mark(s, text)
	}
	return nil
}

func (a *auditing) note(c Checkpoint) {
	for _, h := range a.want[c.Size] {
		if h == c.Root {
			return
		}
	}
	a.want[c.Size] = append(a.want[c.Size], c.Root)
}

// mark notes the largest checkpoint of each kind; walk takes back those whose root
// does not hold.
func (a *auditing) mark(s *Signed, text string) {
	if s.Size >= a.r.Signed.Size {
		a.r.Signed = Mark{Size: s.Size, At: s.SignedAt}
	}
	for _, k := range a.witnesses {
		for _, line := range s.Cosignatures {
			if at, err := k.verify(line, text); err == nil && s.Size >= a.r.Cosigned.Size {
				a.r.Cosigned = Mark{s.Size, at, k.name}
			}
		}
	}
	if len(s.Stamp) > 0 && a.t.Stamps.Roots != nil && s.Size >= a.r.Stamped.Size {
		if tok, err := stamp.Verify(s.Stamp, s.Note, a.t.Stamps); err == nil {
			a.r.Stamped = Mark{s.Size, tok.Time, tok.Authority.Subject.CommonName}
		}
	}
}

// walk computes the root at each size that was signed.
func (a *auditing) walk(ctx context.Context) error {
	var tree growing
	a.compare(&tree)
	for tree.size < a.r.Size {
		n := int(min(MaxBatch, a.r.Size-tree.size))
		list, err := a.l.entries(ctx, tree.size, n)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.add(Torn, tree.size, fmt.Sprintf("entries from %d on can't be read: %v", tree.size, err))
			return nil
		}
		for _, e := range list {
			tree.add(e.leaf())
			a.compare(&tree)
		}
	}
	for size := range a.want {
		if size > a.r.Size {
			a.add(SetBack, size, fmt.Sprintf("the log counts %d entries; a checkpoint that it signed counts %d", a.r.Size, size))
		}
	}
	return nil
}

func (a *auditing) compare(t *growing) {
	roots, ok := a.want[t.size]
	if !ok {
		return
	}
	delete(a.want, t.size)
	is := t.root()
	for _, h := range roots {
		if h == is {
			continue
		}
		a.add(Forked, t.size, "a checkpoint that the log signed has another root than its entries")
		for _, m := range []*Mark{&a.r.Signed, &a.r.Cosigned, &a.r.Stamped} {
			if m.Size == t.size {
				*m = Mark{}
			}
		}
	}
}

// growing is a tree of which only the roots of its perfect parts are held.
type growing struct {
	size  int64
	parts []tlog.Hash // from the largest to the smallest
}

func (g *growing) add(h tlog.Hash) {
	for n := g.size; n&1 == 1; n >>= 1 {
		last := len(g.parts) - 1
		h = tlog.NodeHash(g.parts[last], h)
		g.parts = g.parts[:last]
	}
	g.parts = append(g.parts, h)
	g.size++
}

func (g *growing) root() tlog.Hash {
	if g.size == 0 {
		return emptyRoot
	}
	h := g.parts[len(g.parts)-1]
	for i := len(g.parts) - 2; i >= 0; i-- {
		h = tlog.NodeHash(g.parts[i], h)
	}
	return h
}
