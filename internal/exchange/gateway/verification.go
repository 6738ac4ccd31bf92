package gateway

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"diwan/internal/exchange/snapshot"
	"diwan/protocol/xroad"
)

// The verification configuration is what a reader of records needs who has no
// gateway: the signed directory with its parts, the keys that sign it, and the
// certificates of the exchange's and of the time stamps' authorities. There is no
// secret in it. It is a zip with everything below one folder, as X-Road's is.
const (
	verificationRoot  = "verificationconf"
	verificationIndex = "index.jws"
	verificationKeys  = "directory-keys.pem"
	verificationCAs   = "authorities.pem"
	verificationTSAs  = "stamp-authorities.pem"
	verificationParts = "parts"
)

// verification is the zip of the newest directory that somebody asked for: one is
// made for a directory, however often it is asked for.
type verification struct {
	mu    sync.Mutex
	print string   // of the index in it
	file  *os.File // without a name; whoever still reads an older one keeps that open
	size  int64
}

// verificationConf answers /verificationconf, to client systems of this gateway. The
// directory may be past its end: records of its time are still to be checked.
func (e *edge) verificationConf(w http.ResponseWriter, r *http.Request) {
	g := e.g
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		e.fail(w, r, here(xroad.InvalidRequest, "verificationconf is asked by GET"))
		return
	}
	if !e.plain && (r.TLS == nil || !e.known(r.TLS)) {
		e.fail(w, r, here(xroad.SSLAuthenticationFailed, ""))
		return
	}
	t := g.trust.Load()
	if t == nil {
		e.fail(w, r, here(xroad.GlobalConfOutdated, ""))
		return
	}
	if !g.admit() {
		e.fail(w, r, here(xroad.NetworkError, "this gateway has too much under way"))
		return
	}
	defer g.release()
	file, size, print, err := g.verificationFile()
	if err != nil {
		g.log.Warn("exchange: the verification configuration can't be made", "err", err)
		e.fail(w, r, here(xroad.InternalError, ""))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+verificationRoot+`.zip"`)
	h.Set("ETag", `"`+print+`"`)
	http.ServeContent(w, r, "", t.view.Index.IssuedAt, io.NewSectionReader(file, 0, size))
}

func (g *Gateway) verificationFile() (file *os.File, size int64, print string, err error) {
	v := &g.verification
	v.mu.Lock()
	defer v.mu.Unlock()
	trusted, err := keptKeys(g.cfg.Data)
	if err != nil {
		return nil, 0, "", err
	}
	kept := &Folder{Dir: g.cfg.Data}
	if err := kept.readDirectoryAgain(trusted); err != nil {
		return nil, 0, "", err
	}
	if print = snapshot.Fingerprint(kept.index); print == v.print {
		return v.file, v.size, print, nil
	}
	f, err := os.CreateTemp(g.cfg.Data, ".verification-")
	if err != nil {
		return nil, 0, "", err
	}
	err = errors.Join(os.Remove(f.Name()), kept.writeVerification(f, trusted))
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, 0, "", errors.Join(err, f.Close())
	}
	v.file, v.size, v.print = f, size, print // the older file is closed when its last reader is gone
	return f, size, print, nil
}

// writeVerification writes the zip. The same directory gives the same bytes.
func (f *Folder) writeVerification(to io.Writer, trusted [][]byte) error {
	z := zip.NewWriter(to)
	x := f.view.Index
	add := func(name string, b []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: path.Join(verificationRoot, x.Instance, name), Method: zip.Deflate, Modified: x.IssuedAt})
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}
	blocks := func(kind string, list [][]byte) []byte {
		var b bytes.Buffer
		for _, der := range list {
			pem.Encode(&b, &pem.Block{Type: kind, Bytes: der})
		}
		return b.Bytes()
	}
	keys := slices.Clone(x.DirectoryKeys)
	for _, k := range trusted {
		if !slices.ContainsFunc(keys, func(have []byte) bool { return bytes.Equal(have, k) }) {
			keys = append(keys, k)
		}
	}
	err := errors.Join(add(verificationIndex, f.index), add(verificationKeys, blocks("PUBLIC KEY", keys)), add(verificationCAs, blocks("CERTIFICATE", x.Authorities)))
	if len(x.StampAuthorities) > 0 {
		err = errors.Join(err, add(verificationTSAs, blocks("CERTIFICATE", x.StampAuthorities)))
	}
	for _, id := range slices.Sorted(maps.Keys(f.parts)) {
		if err != nil {
			return err
		}
		err = add(path.Join(verificationParts, x.Members[id]+".json"), f.parts[id])
	}
	return errors.Join(err, z.Close())
}

// Bounds of a verification configuration that is read.
const (
	maxVerification      = 64 << 20  // of the file
	maxVerificationWhole = 512 << 20 // of all that is in it
	maxVerificationFiles = 20_100
	maxVerificationKeys  = 1 << 20 // of a file of keys or certificates
)

// ErrVerification says that a file is no whole verification configuration.
var ErrVerification = errors.New("it is no whole verification configuration")

// readVerification returns the directory keys (PKIX) of a verification configuration
// after it has held index and parts to them: a file that was cut or changed is not
// believed in part.
func readVerification(b []byte) ([][]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVerification, err)
	}
	files, instance, err := verificationFiles(z)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVerification, err)
	}
	raw, err := readZipped(files[verificationKeys], maxVerificationKeys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVerification, err)
	}
	keys := publicKeys(raw)
	signed, err := readZipped(files[verificationIndex], snapshot.MaxIndex)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVerification, err)
	}
	x, err := snapshot.Open(signed, keys)
	if err == nil && x.Instance != instance {
		err = fmt.Errorf("the directory of %s stands under %q", x.Instance, instance)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrVerification, err)
	}
	for id, hash := range x.Members {
		part, err := readZipped(files[path.Join(verificationParts, hash+".json")], snapshot.MaxPart)
		if err == nil {
			_, err = snapshot.OpenPart(part, id, hash)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: the part of %s: %w", ErrVerification, id, err)
		}
	}
	return keys, nil
}

// verificationFiles are the files of a zip by what stands after its one instance.
func verificationFiles(z *zip.Reader) (files map[string]*zip.File, instance string, err error) {
	if len(z.File) > maxVerificationFiles {
		return nil, "", errors.New("too many files")
	}
	files = map[string]*zip.File{}
	whole := uint64(0)
	for _, f := range z.File {
		rest, ok := strings.CutPrefix(f.Name, verificationRoot+"/")
		of, name, named := strings.Cut(rest, "/")
		if !ok || !named || !fs.ValidPath(f.Name) || instance != "" && of != instance || files[name] != nil {
			return nil, "", fmt.Errorf("the file %.100q", f.Name)
		}
		instance, files[name] = of, f
		if whole += f.UncompressedSize64; f.UncompressedSize64 > maxVerificationWhole || whole > maxVerificationWhole {
			return nil, "", errors.New("it is too large")
		}
	}
	return files, instance, nil
}

func readZipped(f *zip.File, limit int64) ([]byte, error) {
	if f == nil {
		return nil, errors.New("a file is missing")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is too large", filepath.Base(f.Name))
	}
	return b, err
}

// publicKeys are those in PEM.
func publicKeys(b []byte) (list [][]byte) {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return list
		}
		if block.Type == "PUBLIC KEY" {
			list = append(list, block.Bytes)
		}
	}
}
