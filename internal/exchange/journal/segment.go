package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	suffix  = ".seg"
	spare   = "next.pre"
	lockFor = "lock"
)

func segmentName(first uint64) string { return fmt.Sprintf("%016x%s", first, suffix) }

// segments lists the numbers that segments begin with, in order.
func segments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing the journal: %w", err)
	}
	var list []uint64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || len(name) != 16 {
			continue
		}
		n, err := strconv.ParseUint(name, 16, 64)
		if err != nil || n == 0 {
			continue
		}
		list = append(list, n)
	}
	slices.Sort(list)
	return list, nil
}

func readHeader(dir string, first uint64) (header, error) {
	f, err := os.Open(filepath.Join(dir, segmentName(first)))
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	b := make([]byte, headerSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return header{}, fmt.Errorf("segment %s: %w", segmentName(first), err)
	}
	h, err := parseHeader(b)
	if err == nil && h.first != first {
		err = errors.New("header and name differ")
	}
	if err != nil {
		return header{}, fmt.Errorf("segment %s: %w", segmentName(first), err)
	}
	return h, nil
}

// prewrite makes a file of zeros. Written, not only reserved: a block that was
// never written costs a change of metadata at its first commit.
func prewrite(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	zeros := make([]byte, 1<<20)
	for left := size; left > 0; {
		n := min(left, int64(len(zeros)))
		if _, err := f.Write(zeros[:n]); err != nil {
			return err
		}
		left -= n
	}
	return f.Sync()
}

// install turns the spare file into the segment that begins with h. The header
// is durable before the name exists, so that a segment always has one.
func install(dir string, h header) (*os.File, error) {
	path := filepath.Join(dir, spare)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(h.bytes(), 0)
	if err == nil {
		err = dataSync(f)
	}
	to := filepath.Join(dir, segmentName(h.first))
	if err == nil {
		if _, e := os.Lstat(to); !errors.Is(e, fs.ErrNotExist) {
			err = fmt.Errorf("%s is there already", to)
		}
	}
	if err == nil {
		err = os.Rename(path, to)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
