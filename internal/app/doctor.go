package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/catalogue"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
)

// Finding is the result of one check.
type Finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	What  string `json:"what"`
	Do    string `json:"do,omitempty"` // what the operator should do
}

// Doctor checks an installation that is running or not, and says what to do. It
// changes nothing. With verify it also recomputes the whole audit trail.
func Doctor(ctx context.Context, c Config, clock gov.Clock, verify bool) []Finding {
	var fs []Finding
	add := func(check string, err error, fine, do string) {
		if err != nil {
			fs = append(fs, Finding{check, false, err.Error(), do})
			return
		}
		fs = append(fs, Finding{check, true, fine, ""})
	}
	add("configuration", c.check(), "complete", "correct the setting named; `diwan serve --help` lists them all")
	add("data folder", checkFolder(c.Data), c.Data, "start the program once, which makes it, or make the folder writable for the user that runs the program, and for nobody else")
	add("disk", checkDisk(c.Data), "enough room", "free room on the disk or move the data folder")
	add("clock", checkClock(c, clock), "plausible", "set the machine's clock and keep it by NTP: legal deadlines depend on it")
	pack, err := LoadCountry(c.Country)
	if err == nil {
		err = CheckPack(pack)
	}
	add("country pack", err, "sound", "mend the files of the pack named with --country")
	add("keys", checkKeys(c, clock), "all open", "put back the identity file from its copy off this machine, or restore a backup")
	add("seal", checkSeal(c), "readable by its owner alone", "chmod 600 the identity file, and keep a copy of it off this machine")
	return append(fs, checkDatabase(ctx, c, clock, verify)...)
}

func (c Config) check() error {
	if c.TLSCert == "" && strings.HasPrefix(c.PublicURL, "http://") && !strings.Contains(c.PublicURL, "127.0.0.1") && !strings.Contains(c.PublicURL, "localhost") {
		return errors.New("public_url is plain http: people's sessions would travel unprotected")
	}
	for _, f := range []string{c.TLSCert, c.TLSKey} {
		if f == "" {
			continue
		}
		if _, err := os.Stat(f); err != nil {
			return err
		}
	}
	return nil
}

func checkFolder(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by other users of this machine (mode %v)", dir, st.Mode().Perm())
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

// minFree is the room below which a backup or a busy day may fail.
const minFree = 1 << 30

func checkDisk(dir string) error {
	free, err := freeBytes(dir)
	if err == nil && free < minFree {
		err = fmt.Errorf("only %d MB are free", free>>20)
	}
	return err
}

// freeBytes returns how much room a folder's disk has for this program.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("measuring the room on the disk of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// checkClock notices a clock that lies before what was already written.
func checkClock(c Config, clock gov.Clock) error {
	now := clock.Now()
	if now.Year() < 2026 || now.Year() > 2100 {
		return fmt.Errorf("the clock says %s", now.Format(time.DateOnly))
	}
	if st, err := os.Stat(c.SealFile); err == nil && st.ModTime().After(now.Add(time.Hour)) {
		return fmt.Errorf("the clock says %s, before the identity file was written (%s)", now.Format(time.DateTime), st.ModTime().Format(time.DateTime))
	}
	return nil
}

// checkKeys opens what is there; opening an absent store would make one.
func checkKeys(c Config, clock gov.Clock) error {
	dir := filepath.Join(c.Data, "keys")
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := keys.Open(dir, c.SealFile, clock)
	return err
}

func checkSeal(c Config) error {
	st, err := os.Stat(c.SealFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil // made at the first start
	}
	if err == nil && st.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s can be read by others (mode %v)", c.SealFile, st.Mode().Perm())
	}
	return err
}

func checkDatabase(ctx context.Context, c Config, clock gov.Clock, verify bool) []Finding {
	if path, lite := strings.CutPrefix(c.Database, "sqlite:"); lite {
		if _, err := os.Stat(path); err != nil {
			return []Finding{{"database", false, "there is none yet at " + path, "start the program once, or run `diwan migrate`"}}
		}
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return []Finding{{"database", false, err.Error(), "check the database setting, that the server runs, and that the user may enter"}}
	}
	defer d.Close()
	if err := d.Check(ctx); err != nil {
		return []Finding{{"database", false, err.Error(), "stop the program, keep the damaged file aside, and restore the last backup"}}
	}
	out := []Finding{{"database", true, string(d.Engine()) + " answers and is sound", ""}}
	pending, err := d.Pending(ctx, Migrations())
	switch {
	case err != nil:
		out = append(out, Finding{"migrations", false, err.Error(), "run `diwan migrate`"})
	case len(pending) > 0:
		out = append(out, Finding{"migrations", false, strings.Join(pending, ", ") + " not applied", "run `diwan migrate`, or start the program, which does it"})
	default:
		out = append(out, Finding{"migrations", true, "all applied", ""})
	}
	if verify {
		n, err := audit.New(d, clock).Verify(ctx)
		f := Finding{"audit trail", err == nil, fmt.Sprintf("%d entries hold", n), ""}
		if err != nil {
			f.What, f.Do = err.Error(), "somebody changed the database by hand: compare with the last backup before you go on"
		}
		out = append(out, f)
	}
	return out
}

// CheckPack compares a country pack with its schema and follows its references.
// The error names every fault.
func CheckPack(p *country.Pack) error {
	faults, err := country.Check(p.Files)
	if err != nil {
		return err
	}
	starter, err := catalogue.ReadStarter(p.Files, country.Decode)
	if err != nil {
		return err
	}
	for _, f := range starter.Check(p.Country) {
		faults = append(faults, f.Path+": "+f.Code+fmt.Sprint(f.Args))
	}
	words, err := Words(p)
	if err != nil {
		return err
	}
	faults = append(faults, words.Check()...)
	if len(faults) > 0 {
		return fmt.Errorf("%d faults: %s", len(faults), strings.Join(faults[:min(20, len(faults))], "; "))
	}
	return nil
}

// PrintFindings writes the checks as lines and reports whether all passed.
func PrintFindings(w io.Writer, fs []Finding) bool {
	all := true
	for _, f := range fs {
		mark := "ok  "
		if !f.OK {
			mark, all = "FAIL", false
		}
		fmt.Fprintf(w, "%s  %-14s %s\n", mark, f.Check, f.What)
		if f.Do != "" {
			fmt.Fprintf(w, "      %-14s -> %s\n", "", f.Do)
		}
	}
	return all
}
