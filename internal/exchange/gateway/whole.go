package gateway

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/translog"
)

// Fault is one thing that a whole verification found in a journal or its log. Seq
// and Last are numbers of records, 0 when it is about the log.
type Fault struct {
	Kind   string `json:"kind"`
	Seq    uint64 `json:"seq,omitempty"`
	Last   uint64 `json:"last,omitempty"`
	Detail string `json:"detail"`
	// Request is the exchange that the record belonged to, as far as the index
	// still tells.
	Request string `json:"request_id,omitempty"`
}

// Kinds of faults beside those of package journal and package translog.
const (
	// FaultOther: the log holds another record under this number.
	FaultOther = "not_in_log"
	// FaultNoLog: the directory says that the member has a log, and it is not here.
	FaultNoLog = "log_missing"
	// FaultKey: the log's key is not the one in the directory.
	FaultKey = "log_key"
)

// Remarks are no faults, but a reader should know of them.
const (
	RemarkNoLog     = "no_log"        // the member has no log yet
	RemarkUnlogged  = "unlogged"      // records that the log does not hold yet
	RemarkUnchecked = "unchecked"     // signatures of keys that the directory names no more
	RemarkTorn      = "torn"          // the end of a write that a crash cut short
	RemarkUncosign  = "not_cosigned"  // witnesses have not cosigned what is there
	RemarkNoWitness = "no_witness"    // the directory names no witness
	RemarkNoStamp   = "not_stamped"   // no time stamp yet
	RemarkDropped   = "dropped"       // retention has removed the first records
	RemarkOthers    = "other_journal" // entries of other nodes, not looked at here
)

// Remark is one of them, with a number where there is one.
type Remark struct {
	Code string `json:"code"`
	N    uint64 `json:"n,omitempty"`
}

// Whole is the result of verifying a whole journal against its log.
type Whole struct {
	Member   string    `json:"member"`
	Node     string    `json:"node"`
	At       time.Time `json:"at"`
	Took     float64   `json:"seconds"`
	OK       bool      `json:"ok"`
	First    uint64    `json:"first"`
	Last     uint64    `json:"last"`
	Records  uint64    `json:"records"`
	Messages uint64    `json:"messages"`
	// Logged is how far the log holds this journal; LogSize counts all its entries.
	Logged  uint64 `json:"logged"`
	LogSize int64  `json:"log_size"`
	// Seen counts the checkpoints known from elsewhere that the log was held to.
	Seen     int           `json:"checkpoints_from_elsewhere"`
	Signed   translog.Mark `json:"signed"`
	Cosigned translog.Mark `json:"cosigned"`
	Stamped  translog.Mark `json:"stamped"`
	Faults   []Fault       `json:"faults"`
	More     int           `json:"more_faults,omitempty"`
	Remarks  []Remark      `json:"remarks"`
}

// maxFaults bounds what is listed.
const maxFaults = 500

// Verify holds a whole journal to itself, to the keys in the directory and to the
// member's transparency log. seen are checkpoints of the log that the caller got
// elsewhere, such as from a witness.
func (f *Folder) Verify(ctx context.Context, seen [][]byte) (*Whole, error) {
	return f.verifyAt(ctx, seen, nil)
}

// verifyAt is Verify with a function that may slow it down at each record.
func (f *Folder) verifyAt(ctx context.Context, seen [][]byte, pace func() error) (*Whole, error) {
	// A gateway that runs may be writing the last record at this moment; what was
	// half there is whole at the next look.
	for try := 1; ; try++ {
		w, err := f.verify(ctx, seen, pace)
		if err != nil || try == 3 || !w.half {
			if err != nil {
				return nil, err
			}
			return &w.Whole, nil
		}
		if !pause(ctx, 300*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// looking is one look at the whole.
type looking struct {
	Whole
	f     *Folder
	pace  func() error // called with each record; nil to go on at once
	half  bool         // the journal ends in something unreadable
	seen  [][]byte
	alone bool // all of the log's entries are of this journal
	// ahead are entries of the log from index from on.
	ahead []translog.Entry
	from  int64
	// held are the places of the log's entries when other nodes feed it too.
	held  map[translog.Entry]bool
	other int // the fault of the present run of records that the log does not hold, -1 for none
}

func (f *Folder) verify(ctx context.Context, seen [][]byte, pace func() error) (*looking, error) {
	begin := time.Now()
	w := &looking{f: f, pace: pace, seen: slices.Clone(seen), other: -1}
	w.Member, w.Node, w.At, w.Faults, w.Remarks = f.Member, f.Node, begin.UTC(), []Fault{}, []Remark{}
	// The log first: what it holds was in the journal before.
	if err := w.openLog(ctx); err != nil {
		return nil, err
	}
	if err := w.readJournal(ctx); err != nil {
		return nil, err
	}
	if err := w.auditLog(ctx); err != nil {
		return nil, err
	}
	w.name(ctx)
	w.OK, w.Took = len(w.Faults) == 0, time.Since(begin).Seconds()
	return w, nil
}

func (w *looking) fault(f Fault) {
	if len(w.Faults) >= maxFaults {
		w.More++
		return
	}
	w.Faults = append(w.Faults, f)
}

func (w *looking) remark(code string, n uint64) { w.Remarks = append(w.Remarks, Remark{code, n}) }

func (w *looking) openLog(ctx context.Context) error {
	m := w.f.view.Members[w.f.Member]
	if w.f.log == nil {
		if m != nil && m.Log != "" {
			w.fault(Fault{Kind: FaultNoLog, Detail: "the directory knows a transparency log of this member, and its database is not here"})
		} else {
			w.remark(RemarkNoLog, 0)
		}
		return nil
	}
	sources, err := w.f.log.Sources(ctx)
	if err != nil {
		return err
	}
	w.Logged = sources[w.f.Node]
	w.alone = len(sources) <= 1
	if w.LogSize, err = w.f.log.Size(ctx); err != nil && len(sources) == 0 {
		w.remark(RemarkNoLog, 0)
		w.f.log = nil
		return nil
	}
	if err != nil || w.alone {
		return err
	}
	w.remark(RemarkOthers, uint64(w.LogSize)-w.Logged)
	w.held = make(map[translog.Entry]bool)
	for at := int64(0); at < w.LogSize; {
		list, err := w.f.log.Entries(ctx, at, int(min(translog.MaxBatch, w.LogSize-at)))
		if err != nil {
			return err
		}
		for _, e := range list {
			w.held[e] = true
		}
		at += int64(len(list))
	}
	return nil
}

// readJournal verifies the journal and holds each record to the log.
func (w *looking) readJournal(ctx context.Context) error {
	if _, err := os.Stat(w.f.journal()); err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	noteKeys := noteKeyAt(w.f.view)
	unchecked := uint64(0)
	r, err := journal.VerifyEach(w.f.journal(), keyAt(w.f.view), nil, func(e journal.Entry, record []byte) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if w.pace != nil {
			if err := w.pace(); err != nil {
				return err
			}
		}
		if e.Type == noteAnchor {
			w.seen = append(w.seen, slices.Clone(e.Payload))
		}
		if err := VerifyNote(e, noteKeys); errors.Is(err, journal.ErrNoKey) {
			unchecked++
		} else if err != nil {
			w.fault(Fault{Kind: string(journal.Forged), Seq: e.Seq, Last: e.Seq, Detail: err.Error()})
		}
		return w.compare(ctx, e.Seq, translog.EntryOf(record))
	})
	if err != nil {
		return err
	}
	w.First, w.Last, w.Records, w.Messages, w.More = r.First, r.Last, r.Records, r.Messages, w.More+r.More
	if w.First > 1 {
		w.remark(RemarkDropped, w.First-1)
	}
	for _, p := range r.Problems {
		switch {
		case p.Kind == journal.Unchecked:
			unchecked++
			continue
		case p.Kind == journal.Unreadable && p.Seq == w.Last+1:
			w.half = true
			if p.Seq > w.Logged {
				w.remark(RemarkTorn, p.Seq)
				continue
			}
		}
		w.fault(Fault{Kind: string(p.Kind), Seq: p.Seq, Last: p.Last, Detail: p.Detail})
	}
	if unchecked > 0 {
		w.remark(RemarkUnchecked, unchecked)
	}
	if w.Last < w.Logged {
		w.fault(Fault{Kind: string(journal.Missing), Seq: w.Last + 1, Last: w.Logged, Detail: "the log holds them; here the journal ends before"})
	} else if w.f.log != nil && w.Last > w.Logged {
		w.remark(RemarkUnlogged, w.Last-w.Logged)
	}
	w.merge()
	return nil
}

// compare holds a record to the log, as far as the log was fed.
func (w *looking) compare(ctx context.Context, seq uint64, e translog.Entry) error {
	if w.f.log == nil || seq > w.Logged {
		return nil
	}
	same := w.held[e]
	if w.alone {
		at, err := w.entry(ctx, int64(seq)-1)
		if err != nil {
			return nil // the audit says what is missing there
		}
		same = at == e
	}
	switch {
	case same:
		w.other = -1
	case w.other >= 0 && w.Faults[w.other].Last == seq-1:
		w.Faults[w.other].Last = seq
	default:
		w.fault(Fault{Kind: FaultOther, Seq: seq, Last: seq, Detail: "the transparency log holds another record under this number"})
		if w.More == 0 {
			w.other = len(w.Faults) - 1
		}
	}
	return nil
}

func (w *looking) entry(ctx context.Context, i int64) (translog.Entry, error) {
	if i < w.from || i >= w.from+int64(len(w.ahead)) {
		n := min(translog.MaxBatch, w.LogSize-i)
		if n <= 0 {
			return translog.Entry{}, translog.ErrRange
		}
		list, err := w.f.log.Entries(ctx, i, int(n))
		if err != nil {
			return translog.Entry{}, err
		}
		w.ahead, w.from = list, i
	}
	return w.ahead[i-w.from], nil
}

// merge leaves one fault for a record that both the journal itself and the log
// accuse, and orders them by number.
func (w *looking) merge() {
	accused := map[uint64]bool{}
	for _, f := range w.Faults {
		if f.Kind != FaultOther && f.Seq == f.Last {
			accused[f.Seq] = true
		}
	}
	w.Faults = slices.DeleteFunc(w.Faults, func(f Fault) bool { return f.Kind == FaultOther && f.Seq == f.Last && accused[f.Seq] })
	slices.SortStableFunc(w.Faults, func(a, b Fault) int {
		return int(min(max(int64(a.Seq)-int64(b.Seq), -1), 1))
	})
}

// auditLog checks the log itself: its tree, its checkpoints and who vouches for
// them.
func (w *looking) auditLog(ctx context.Context) error {
	m := w.f.view.Members[w.f.Member]
	if w.f.log == nil {
		return nil
	}
	if m == nil || m.Log == "" {
		w.remark(RemarkNoLog, 0)
		return nil
	}
	trust := translog.AuditTrust{Log: m.Log, Witnesses: witnessKeys(w.f.view, w.f.Member), Stamps: stampTrust(w.f.view), Seen: w.seen}
	r, err := w.f.log.Audit(ctx, trust)
	if err != nil {
		return fmt.Errorf("auditing the transparency log: %w", err)
	}
	w.Seen, w.Signed, w.Cosigned, w.Stamped = r.Seen, r.Signed, r.Cosigned, r.Stamped
	for _, f := range r.Findings {
		w.fault(Fault{Kind: string(f.Kind), Detail: fmt.Sprintf("at %d entries: %s", f.Size, f.Detail)})
	}
	if len(trust.Witnesses) == 0 {
		w.remark(RemarkNoWitness, 0)
	} else if left := w.LogSize - r.Cosigned.Size; left > 0 {
		w.remark(RemarkUncosign, uint64(left))
	}
	if r.Stamped.Size == 0 {
		w.remark(RemarkNoStamp, 0)
	}
	return nil
}

// name says which exchange a record belonged to.
func (w *looking) name(ctx context.Context) {
	if w.f.db == nil {
		return
	}
	for i := range w.Faults {
		f := &w.Faults[i]
		if f.Seq == 0 {
			continue
		}
		err := w.f.db.Reader().QueryRowContext(ctx, `SELECT request FROM gateway_exchange WHERE node = $1 AND (request_seq = $2 OR response_seq = $2)`, w.f.Node, int64(f.Seq)).Scan(&f.Request)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return // it is help, nothing that the verdict rests on
		}
	}
}

// SeenBy returns the checkpoints of this folder's log that the witness of another
// gateway has kept.
func (f *Folder) SeenBy(ctx context.Context, witness *Folder) ([][]byte, error) {
	if witness.db == nil {
		return nil, fmt.Errorf("%s holds no database of a witness", witness.Dir)
	}
	return translog.Seen(ctx, witness.db, translog.MemberOrigin(f.Member))
}
