package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"diwan/internal/exchange/gateway"
)

// What the command line shows of proofs.
type (
	// WholeCheck is the result of verifying a whole journal.
	WholeCheck = gateway.Whole
	// ProofCheck is the result of checking the proof of one exchange.
	ProofCheck = gateway.EvidenceReport
	// ProofOf names one exchange.
	ProofOf = gateway.Which
	// ProofTrust is what a reader of a proof believes beforehand.
	ProofTrust struct {
		// File holds directory keys; "" believes those of Data.
		File string
		// Witnesses must have cosigned; NeedStamp asks for a time stamp.
		Witnesses int
		NeedStamp bool
	}
)

// ErrNoTrust says that nobody said which directory to believe.
var ErrNoTrust = errors.New("say with --trust FILE which directory's keys you believe, or with --data DIR the folder of a gateway that holds them")

// VerifyJournal verifies the whole journal of a gateway's data folder (or
// configuration file) against itself and its transparency log. The log is held to
// what the witnesses of other gateways' folders and the checkpoints in files have
// seen of it.
func VerifyJournal(ctx context.Context, data, trust string, witnesses, checkpoints []string) (*WholeCheck, error) {
	f, err := openFolder(ctx, data, trust)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var seen [][]byte
	for _, w := range witnesses {
		other, err := openFolder(ctx, w, "")
		if err != nil {
			return nil, fmt.Errorf("the witness: %w", err)
		}
		list, err := f.SeenBy(ctx, other)
		other.Close()
		if err != nil {
			return nil, fmt.Errorf("the witness: %w", err)
		}
		seen = append(seen, list...)
	}
	for _, name := range checkpoints {
		b, err := readBounded(name, 64<<10)
		if err != nil {
			return nil, err
		}
		seen = append(seen, b)
	}
	w, err := f.Verify(ctx, seen)
	if err == nil && w.Seen < len(witnesses)+len(checkpoints) {
		return w, fmt.Errorf("a witness has seen nothing of this log, or what was given as a checkpoint of it is not signed by its key")
	}
	return w, err
}

// ProveExchange makes the proof of one exchange, checks it, and writes it when out
// is given.
func ProveExchange(ctx context.Context, data string, which ProofOf, t ProofTrust, out string) (*ProofCheck, error) {
	f, err := openFolder(ctx, data, t.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ev, err := f.Prove(ctx, which)
	if err != nil {
		return nil, err
	}
	keys, err := trustOf(t.File, data)
	if err != nil {
		return nil, err
	}
	r := gateway.CheckEvidence(ev, gateway.EvidenceTrust{DirectoryKeys: keys, Witnesses: t.Witnesses, NeedStamp: t.NeedStamp})
	if out == "" {
		return r, nil
	}
	file, err := os.OpenFile(out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing the proof: %w", err)
	}
	if err := errors.Join(ev.Write(file), file.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("writing the proof: %w", err)
	}
	return r, nil
}

// CheckProof checks a file that ProveExchange wrote, with nothing but directory
// keys: those of the trust file, or of a gateway's data folder.
func CheckProof(name, data string, t ProofTrust) (*ProofCheck, error) {
	keys, err := trustOf(t.File, data)
	if err != nil {
		return nil, err
	}
	b, err := readBounded(name, gateway.MaxEvidence)
	if err != nil {
		return nil, err
	}
	ev, err := gateway.ReadEvidence(b)
	if err != nil {
		return nil, err
	}
	return gateway.CheckEvidence(ev, gateway.EvidenceTrust{DirectoryKeys: keys, Witnesses: t.Witnesses, NeedStamp: t.NeedStamp}), nil
}

func openFolder(ctx context.Context, data, trust string) (*gateway.Folder, error) {
	dir, database, err := gateway.FolderOf(data)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	if trust != "" {
		if keys, err = gateway.ReadTrust(trust); err != nil {
			return nil, err
		}
	}
	return gateway.OpenFolder(ctx, dir, database, keys)
}

func trustOf(trust, data string) ([][]byte, error) {
	switch {
	case trust != "":
		return gateway.ReadTrust(trust)
	case data != "":
		dir, _, err := gateway.FolderOf(data)
		if err != nil {
			return nil, err
		}
		return gateway.ReadTrust(dir)
	}
	return nil, ErrNoTrust
}

func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", filepath.Base(name), limit)
	}
	return b, err
}
