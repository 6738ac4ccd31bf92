package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// letGoOfProgram gives back the pages of the program's own file that are mapped
// unchanged: code and tables. Setting up all packages touches most of them, and a
// gateway needs few. They stay in the system's cache of files, shared by all processes
// of this program, and come back by themselves when they are needed.
func letGoOfProgram() {
	name, err := os.Executable()
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		// address-end perms offset device inode name
		fields := strings.Fields(s.Text())
		if len(fields) < 6 || fields[5] != name || fields[1] != "r--p" && fields[1] != "r-xp" { // what can be written may have been
			continue
		}
		from, to, ok := strings.Cut(fields[0], "-")
		at, err := strconv.ParseUint(from, 16, 64)
		end, err2 := strconv.ParseUint(to, 16, 64)
		if !ok || err != nil || err2 != nil || end <= at {
			continue
		}
		syscall.Syscall(syscall.SYS_MADVISE, uintptr(at), uintptr(end-at), syscall.MADV_DONTNEED)
	}
}
