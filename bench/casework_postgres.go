package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"diwan/internal/db"
)

// postgresVariable is where a server stands on which databases may be made. A
// server of the run's own, which writes to the disk as in production, comes first.
const postgresVariable = "DIWAN_TEST_POSTGRES"

var errNoPostgres = errors.New("there is neither PostgreSQL on this machine nor an address in " + postgresVariable)

func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// database makes an empty database of an engine and says what it is.
func (b *bench) database(ctx context.Context, engine db.Engine) (address, about string, stop func(), err error) {
	if engine == db.SQLite {
		path := filepath.Join(b.work, "casework.db")
		return "sqlite:" + path, "SQLite, synchronous=FULL", func() { os.Remove(path) }, nil
	}
	if dir := postgresPrograms(); dir != "" {
		return b.ownPostgres(ctx, dir)
	}
	server := os.Getenv(postgresVariable)
	if server == "" {
		return "", "", nil, errNoPostgres
	}
	c, err := sql.Open("pgx", server)
	if err != nil {
		return "", "", nil, err
	}
	name := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	var syncs string
	_, err = c.ExecContext(ctx, "CREATE DATABASE "+name)
	err = errors.Join(err, c.QueryRowContext(ctx, "SHOW fsync").Scan(&syncs))
	if err != nil {
		c.Close()
		return "", "", nil, err
	}
	address, err = namedDatabase(server, name)
	return address, "PostgreSQL given by " + postgresVariable + ", fsync " + syncs, func() {
		c.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		c.Close()
	}, err
}

func postgresPrograms() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// ownPostgres starts a server with its defaults, which wait for the disk. It
// refuses to run as root, so root hands it to the account it was installed with.
func (b *bench) ownPostgres(ctx context.Context, programs string) (address, about string, stop func(), err error) {
	dir := filepath.Join(b.work, "pg")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", "", nil, err
	}
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return "", "", nil, errNoPostgres
		}
		uid, uerr := strconv.Atoi(u.Uid)
		gid, gerr := strconv.Atoi(u.Gid)
		if err := errors.Join(uerr, gerr, os.Chown(dir, uid, gid), os.Chmod(b.work, 0o711)); err != nil {
			return "", "", nil, err
		}
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	run := func(program string, args ...string) error {
		c := exec.CommandContext(ctx, filepath.Join(programs, program), args...)
		c.Dir, c.SysProcAttr = dir, as
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, out)
		}
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", nil, err
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	data := filepath.Join(dir, "data")
	if err := run("initdb", "-D", data, "-A", "trust", "-U", "diwan", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return "", "", nil, err
	}
	// The output goes to the log alone: what keeps a pipe open would be waited for.
	start := exec.CommandContext(ctx, filepath.Join(programs, "pg_ctl"), "-D", data, "-l", filepath.Join(dir, "log"), "-w",
		"-o", "-p "+port+" -k "+dir+" -c listen_addresses=127.0.0.1 -c max_connections=100 -c shared_buffers=512MB -c max_wal_size=4GB", "start")
	start.Dir, start.SysProcAttr = dir, as
	if err := start.Run(); err != nil {
		return "", "", nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	return "postgres://diwan@127.0.0.1:" + port + "/postgres?sslmode=disable", "PostgreSQL of the run's own, fsync on, serializable", func() {
		c := exec.Command(filepath.Join(programs, "pg_ctl"), "-D", data, "-m", "fast", "stop")
		c.Dir, c.SysProcAttr = dir, as
		c.Run()
	}, nil
}
