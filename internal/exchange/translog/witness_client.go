package translog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
)

// ErrAhead says that a witness saw the log larger than it is now: the log's
// database was set back, and must not go on from there.
var ErrAhead = errors.New("a witness saw the log larger than it is: the log was set back")

// maxAnswer is the length in bytes of a witness's answer.
const maxAnswer = 16 << 10

// WitnessClient asks one witness for the log's side.
type WitnessClient struct {
	url  string
	key  *witnessKey
	http *http.Client
}

// NewWitnessClient returns a client of the witness with this key (WitnessKey),
// whose add-checkpoint is below the address. A nil client gives up after 15
// seconds.
func NewWitnessClient(address, vkey string, client *http.Client) (*WitnessClient, error) {
	k, err := parseWitnessKey(vkey)
	if err != nil {
		return nil, err
	}
	if client == nil {
		client = &http.Client{Timeout: 15 * time.Second}
	}
	return &WitnessClient{strings.TrimSuffix(address, "/") + "/add-checkpoint", k, client}, nil
}

// Name returns the witness's name.
func (c *WitnessClient) Name() string { return c.key.name }

// maxAhead is how far a witness's clock may be ahead of ours.
const maxAhead = 5 * time.Minute

// Cosign has the newest checkpoint cosigned by a witness and keeps the
// cosignature; nothing happens when it is there. ErrAhead, ErrFork and ErrProof are
// alarms: the log contradicts what it showed the witness.
func (l *Log) Cosign(ctx context.Context, c *WitnessClient, now time.Time) error {
	last, err := l.last(ctx, l.db.Reader())
	if err != nil || last == nil {
		return err
	}
	old, err := l.cosignedBy(ctx, c.key.name)
	if err != nil || old >= last.Size {
		return err
	}
	s, err := l.At(ctx, last.Size)
	if err != nil {
		return err
	}
	line, at, err := c.ask(ctx, l, s, max(old, 0), now)
	if stale, ok := errors.AsType[*StaleError](err); ok {
		if stale.Size > s.Size {
			return l.ahead(ctx, stale.Size)
		}
		line, at, err = c.ask(ctx, l, s, stale.Size, now)
		if again, ok := errors.AsType[*StaleError](err); ok && again.Size == s.Size && stale.Size == s.Size {
			return ErrFork
		}
	}
	if err != nil {
		return fmt.Errorf("asking the witness %s: %w", c.key.name, err)
	}
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO translog_cosignature (origin, size, witness, line, cosigned_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, l.origin, s.Size, c.key.name, line, db.Micros(at))
		return err
	})
}

// ahead tells a log that was set back from one that another node of the member
// has carried further in the meantime.
func (l *Log) ahead(ctx context.Context, seen int64) error {
	n, err := l.Size(ctx)
	if err == nil && seen > n {
		err = ErrAhead
	}
	return err
}

// cosignedBy returns the largest size that a witness cosigned, -1 for none.
func (l *Log) cosignedBy(ctx context.Context, witness string) (int64, error) {
	var n sql.NullInt64
	err := l.db.Reader().QueryRowContext(ctx, `SELECT MAX(size) FROM translog_cosignature WHERE origin = $1 AND witness = $2`, l.origin, witness).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("reading cosignatures: %w", err)
	}
	if !n.Valid {
		return -1, nil
	}
	return n.Int64, nil
}

// ask sends one request and returns the verified line.
func (c *WitnessClient) ask(ctx context.Context, l *Log, s *Signed, old int64, now time.Time) (string, time.Time, error) {
	proof, err := l.ConsistencyProof(ctx, old, s.Size)
	if err != nil {
		return "", time.Time{}, err
	}
	b, err := c.post(ctx, writeRequest(old, proof, s.Note))
	if err != nil {
		return "", time.Time{}, err
	}
	// Lines of keys that are not known are ignored, as the protocol wants.
	for one := range strings.SplitAfterSeq(string(b), "\n") {
		at, err := c.key.verify(one, s.Text())
		if err == nil && at.Sub(now) > maxAhead {
			return "", time.Time{}, fmt.Errorf("%w: from the future", ErrCosignature)
		}
		if err == nil {
			return one, at, nil
		}
	}
	return "", time.Time{}, ErrCosignature
}

func (c *WitnessClient) post(ctx context.Context, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return b, nil
	case http.StatusConflict:
		if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t == sizeType {
			n, err := parseSize(strings.TrimSuffix(string(b), "\n"))
			if err != nil {
				return nil, err
			}
			return nil, &StaleError{n}
		}
	case http.StatusUnprocessableEntity:
		return nil, ErrProof
	case http.StatusNotFound:
		return nil, ErrUnknownLog
	case http.StatusForbidden:
		return nil, ErrUnsigned
	}
	return nil, fmt.Errorf("status %d", resp.StatusCode)
}
