package translog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// maxProof is how many hashes the protocol allows in a proof.
	maxProof = 63
	// maxRequest is the length in bytes of a request to a witness.
	maxRequest = 32 + 45*maxProof + MaxCheckpoint
	sizeType   = "text/x.tlog.size"
)

// writeRequest writes the body of add-checkpoint.
func writeRequest(old int64, proof tlog.TreeProof, signed []byte) []byte {
	b := fmt.Appendf(nil, "old %d\n", old)
	for _, h := range proof {
		b = fmt.Appendf(b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	return append(append(b, '\n'), signed...)
}

// parseRequest reads the body of add-checkpoint; the checkpoint is not looked at.
func parseRequest(b []byte) (old int64, proof tlog.TreeProof, signed []byte, err error) {
	head, signed, ok := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	if len(b) > maxRequest || !ok || !isOld || len(lines)-1 > maxProof {
		return 0, nil, nil, ErrRequest
	}
	if old, err = parseSize(size); err != nil {
		return 0, nil, nil, ErrRequest
	}
	for _, l := range lines[1:] {
		h, err := parseHash(l)
		if err != nil {
			return 0, nil, nil, ErrRequest
		}
		proof = append(proof, h)
	}
	return old, proof, signed, nil
}

// ServeHTTP takes POST /add-checkpoint (C2SP tlog-witness), below wherever it is
// mounted with http.StripPrefix.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/add-checkpoint" {
		http.NotFound(rw, r)
		return
	}
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "POST only", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		http.Error(rw, ErrRequest.Error(), http.StatusBadRequest)
		return
	}
	old, proof, signed, err := parseRequest(body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	line, err := w.AddCheckpoint(r.Context(), old, proof, signed)
	if err != nil {
		w.refuse(rw, signed, err)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(rw, line)
}

// refuse says why in the protocol's own statuses. Words of our own errors only:
// what came in is not echoed.
func (w *Witness) refuse(rw http.ResponseWriter, signed []byte, err error) {
	if stale, ok := errors.AsType[*StaleError](err); ok {
		conflict(rw, stale.Size)
		return
	}
	if errors.Is(err, ErrFork) {
		// The protocol answers both with the size: that it is the one that was
		// offered tells the log that its root is another.
		c, _ := unsigned(signed)
		conflict(rw, c.Size)
		return
	}
	for _, r := range []struct {
		err    error
		status int
	}{{ErrUnknownLog, http.StatusNotFound}, {ErrUnsigned, http.StatusForbidden}, {ErrProof, http.StatusUnprocessableEntity},
		{ErrRequest, http.StatusBadRequest}, {ErrCheckpoint, http.StatusBadRequest}} {
		if errors.Is(err, r.err) {
			http.Error(rw, r.err.Error(), r.status)
			return
		}
	}
	http.Error(rw, "the witness can't answer now", http.StatusServiceUnavailable)
}

func conflict(rw http.ResponseWriter, size int64) {
	rw.Header().Set("Content-Type", sizeType)
	rw.WriteHeader(http.StatusConflict)
	fmt.Fprintf(rw, "%d\n", size)
}
