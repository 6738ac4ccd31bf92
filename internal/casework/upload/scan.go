package upload

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Scanner looks for viruses. A file is infected when found is not empty, and clean
// when neither found nor err is there. Any error means that nothing is known.
type Scanner interface {
	Scan(ctx context.Context, content io.Reader) (found string, err error)
}

// Clamd asks a clamd by its INSTREAM command.
type Clamd struct {
	network, address string
	timeout          time.Duration
}

// ErrTooLong says that the scanner takes no content of that length; its bound
// (StreamMaxLength) must be at least MaxFile.
var ErrTooLong = errors.New("the scanner refuses contents of this length: raise its StreamMaxLength")

const (
	scanTime   = 30 * time.Second
	maxVerdict = 4096
)

// NewClamd returns the scanner at "unix:/path/to/socket" or "tcp:host:port".
func NewClamd(address string) (*Clamd, error) {
	network, at, ok := strings.Cut(address, ":")
	if !ok || network != "unix" && network != "tcp" || at == "" {
		return nil, fmt.Errorf("the scanner's address %q is neither unix:PATH nor tcp:HOST:PORT", address)
	}
	return &Clamd{network, at, scanTime}, nil
}

// Scan implements Scanner, within half a minute.
func (c *Clamd) Scan(ctx context.Context, content io.Reader) (string, error) {
	found, err := c.scan(ctx, content)
	if err != nil {
		return "", fmt.Errorf("asking the scanner: %w", err)
	}
	return found, nil
}

func (c *Clamd) scan(ctx context.Context, content io.Reader) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	// A scanner that has heard enough answers and stops reading: its word counts
	// more than that it could not be told the rest.
	sent := send(conn, content)
	verdict, err := bufio.NewReader(io.LimitReader(conn, maxVerdict)).ReadString(0)
	if err != nil {
		return "", errors.Join(sent, ctx.Err(), err)
	}
	return judge(strings.TrimSuffix(verdict, "\x00"), sent)
}

// send writes the command and the content in chunks, each after its length.
func send(w io.Writer, content io.Reader) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if _, err := b.WriteString("zINSTREAM\x00"); err != nil {
		return err
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := content.Read(chunk)
		if n > 0 {
			var size [4]byte
			binary.BigEndian.PutUint32(size[:], uint32(n))
			if _, err := b.Write(size[:]); err != nil {
				return err
			}
			if _, err := b.Write(chunk[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			_, _ = b.Write([]byte{0, 0, 0, 0}) // Flush returns its error
			return b.Flush()
		}
		if err != nil {
			return err
		}
	}
}

// judge reads what the scanner said. Only the one word for clean is clean, and
// only of a content that it was told whole.
func judge(verdict string, sent error) (string, error) {
	what, ok := strings.CutPrefix(verdict, "stream: ")
	switch {
	case ok && strings.HasSuffix(what, " FOUND"):
		return strings.TrimSuffix(what, " FOUND"), nil
	case ok && what == "OK" && sent == nil:
		return "", nil
	case strings.Contains(verdict, "size limit exceeded"):
		return "", ErrTooLong
	case sent != nil:
		return "", sent
	}
	return "", fmt.Errorf("the scanner said %.80q", verdict)
}
