package journal

import (
	"fmt"
	"os"
	"syscall"
)

// dataSync makes what was written durable. The length of a segment does not
// change, so its metadata need not be.
func dataSync(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return err
		}
	}
}

func freeBytes(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("asking for free space: %w", err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// lock keeps a second writer out; it ends with the process.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
