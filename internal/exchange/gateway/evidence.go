package gateway

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/translog"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// EvidenceFormat is the name and version of the file that proves one exchange.
const EvidenceFormat = "diwan-exchange-evidence-1"

// MaxEvidence is the length of such a file in bytes.
const MaxEvidence = 64 << 20

// Evidence holds all that is needed to check one exchange with nothing but a key
// of the directory: the journal's records of it, each with its place in the
// member's transparency log, the part of the signed directory that says whose keys
// are in it, and the contract. Bytes are standard base64.
type Evidence struct {
	Format  string    `json:"format"`
	Member  string    `json:"member"` // whose journal
	Node    string    `json:"node"`
	Request string    `json:"request_id"`
	MadeAt  time.Time `json:"made_at"`
	// Records are in the order of the journal: request, answer, or a refusal.
	Records []*translog.Bundle `json:"records"`
	// Index is the signed directory, Parts what it says of each member concerned.
	Index    string            `json:"directory"`
	Parts    map[string][]byte `json:"members"`
	Contract *contract.Signed  `json:"contract,omitempty"`
}

// Which says which exchange is meant, by one of its names.
type Which struct {
	Record  uint64 // number of one of its records
	Request string // request id
	Message string // X-Road-Id
}

// Why there is no evidence.
var (
	ErrNoExchange = errors.New("there is no such exchange in this journal")
	// ErrNotYet: the log has the records, or will have them, and no checkpoint
	// covers them yet.
	ErrNotYet = errors.New("no checkpoint of the transparency log covers the exchange yet; try again in some seconds")
	// ErrEvidence says that bytes are no evidence.
	ErrEvidence = errors.New("not a proof of an exchange")
)

// DamagedError says that a record is not the one that the log holds.
type DamagedError struct{ Seq uint64 }

func (e *DamagedError) Error() string {
	return fmt.Sprintf("record %d is not the one that the transparency log holds: the journal was altered", e.Seq)
}

// Prove makes the evidence of one exchange.
func (f *Folder) Prove(ctx context.Context, which Which) (*Evidence, error) {
	if f.log == nil {
		return nil, errors.New("this gateway has no transparency log yet")
	}
	id, seqs, err := f.find(ctx, which)
	if err != nil {
		return nil, err
	}
	ev := &Evidence{Format: EvidenceFormat, Member: f.Member, Node: f.Node, Request: id, MadeAt: time.Now().UTC().Truncate(time.Second), Index: string(f.index), Parts: map[string][]byte{}}
	concerned := []string{f.Member}
	hash := ""
	for _, seq := range seqs {
		e, err := f.record(seq)
		if err != nil {
			return nil, err
		}
		b, err := f.bundle(ctx, e)
		if err != nil {
			return nil, err
		}
		ev.Records = append(ev.Records, b)
		concerned = append(concerned, f.witnessesIn(b)...)
		if s, _ := readSpoken(e, f.view); s.signer != "" {
			concerned = append(concerned, s.signer)
			if h, err := xroad.ParseResponseHead(s.head); err == nil && s.kind == link.KindResponse {
				hash = h.Get(contractHeader)
			}
		}
	}
	if ev.Contract, err = f.contract(ctx, hash); err != nil {
		return nil, err
	}
	if ev.Contract != nil {
		if c, err := contract.Parse(ev.Contract.Content); err == nil {
			concerned = append(concerned, c.Parties()...)
		}
	}
	for _, id := range concerned {
		if part, ok := f.parts[id]; ok {
			ev.Parts[id] = part
		}
	}
	return ev, nil
}

// bundle proves one record.
func (f *Folder) bundle(ctx context.Context, e journal.Entry) (*translog.Bundle, error) {
	b, err := f.log.Prove(ctx, e.Bytes())
	if !errors.Is(err, translog.ErrNotThere) {
		return b, err
	}
	fed, err := f.log.Fed(ctx, f.Node)
	if err != nil {
		return nil, err
	}
	_, ok, err := f.log.Index(ctx, translog.EntryOf(e.Bytes()))
	if err == nil && !ok && e.Seq <= fed {
		return nil, &DamagedError{e.Seq}
	}
	return nil, errors.Join(ErrNotYet, err)
}

// witnessesIn names the members whose witnesses' lines are in a bundle.
func (f *Folder) witnessesIn(b *translog.Bundle) []string {
	var out []string
	for id, m := range f.view.Members {
		if m.Witness != "" && slices.ContainsFunc(b.Cosignatures, func(l string) bool { return strings.Contains(l, " "+translog.WitnessName(id)+" ") }) {
			out = append(out, id)
		}
	}
	return out
}

func (f *Folder) contract(ctx context.Context, hash string) (*contract.Signed, error) {
	if hash == "" {
		return nil, nil
	}
	var c contract.Signed
	var list string
	err := f.db.Reader().QueryRowContext(ctx, `SELECT content, signatures FROM gateway_contract WHERE hash = $1`, hash).Scan(&c.Content, &list)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(list), &c.Signatures)
	}
	if err != nil {
		return nil, fmt.Errorf("the contract: %w", err)
	}
	return &c, nil
}

// find looks an exchange up in the index, and in the journal itself when the index
// does not have it. It returns the records of the side that was asked for first.
func (f *Folder) find(ctx context.Context, w Which) (id string, seqs []uint64, err error) {
	if w.Record > 0 {
		e, err := f.record(w.Record)
		if errors.Is(err, io.EOF) {
			return "", nil, ErrNoExchange
		}
		if err != nil {
			return "", nil, err
		}
		var ok bool
		if w.Request, ok = exchangeID(e); !ok {
			return "", nil, fmt.Errorf("%w: record %d is a note of the gateway itself", ErrNoExchange, w.Record)
		}
	}
	if w.Request == "" && w.Message == "" {
		return "", nil, fmt.Errorf("%w: name it by its request id, its X-Road-Id or the number of a record", ErrNoExchange)
	}
	var request, response int64
	err = f.db.Reader().QueryRowContext(ctx, `SELECT request, request_seq, response_seq FROM gateway_exchange WHERE node = $1 AND (request = $2 OR $2 = '' AND message_id = $3) AND ($4 = 0 OR request_seq = $4 OR response_seq = $4)
		ORDER BY at DESC, side LIMIT 1`, f.Node, w.Request, w.Message, int64(w.Record)).Scan(&id, &request, &response)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", nil, fmt.Errorf("searching the index: %w", err)
	}
	if id != "" {
		w.Request = id
	}
	if err == nil && request > 0 && response > 0 && f.holds(request, id) && f.holds(response, id) {
		// What ends a body that was sent in pieces is a record of its own, which
		// the index does not name.
		if f.streamed(request) || f.streamed(response) {
			return f.scan(ctx, w, uint64(min(request, response)))
		}
		return id, []uint64{uint64(request), uint64(response)}, nil
	}
	first, err := journal.First(f.journal())
	if err != nil {
		return "", nil, err
	}
	return f.scan(ctx, w, max(first, 1))
}

// holds says whether a record is of an exchange: the index may have been altered.
func (f *Folder) holds(seq int64, id string) bool {
	e, err := f.record(uint64(seq))
	if err != nil {
		return false
	}
	is, ok := exchangeID(e)
	return ok && is == id
}

// streamed says whether a record is of a message whose body came in pieces.
func (f *Folder) streamed(seq int64) bool {
	e, err := f.record(uint64(seq))
	return err == nil && e.Message != nil && e.Message.Envelope.Streamed()
}

// maxRecordsOf bounds the records of one exchange.
const maxRecordsOf = 8

// scanAhead is how far behind its answer an exchange may leave records when the
// place of one of them is known.
const scanAhead = 1 << 18

// scan reads the journal from a record on.
func (f *Folder) scan(ctx context.Context, w Which, from uint64) (string, []uint64, error) {
	r := journal.NewReader(f.journal(), from)
	defer r.Close()
	var seqs []uint64
	for len(seqs) < maxRecordsOf {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", nil, err
		}
		if len(seqs) > 1 && e.Seq > seqs[0]+scanAhead {
			break
		}
		id, ok := exchangeID(e)
		if !ok {
			continue
		}
		if w.Request == "" && messageID(e) == w.Message {
			w.Request = id
		}
		if w.Request != "" && id == w.Request {
			seqs = append(seqs, e.Seq)
		}
	}
	if len(seqs) == 0 {
		return "", nil, ErrNoExchange
	}
	return w.Request, seqs, nil
}

// Write writes the evidence as a file.
func (ev *Evidence) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(ev)
}

// ReadEvidence reads a file; nothing in it is verified.
func ReadEvidence(b []byte) (*Evidence, error) {
	if len(b) > MaxEvidence {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrEvidence, MaxEvidence)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var ev Evidence
	if err := d.Decode(&ev); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows it", ErrEvidence)
	}
	if slices.Contains(ev.Records, nil) {
		return nil, fmt.Errorf("%w: an empty record", ErrEvidence)
	}
	return &ev, nil
}
