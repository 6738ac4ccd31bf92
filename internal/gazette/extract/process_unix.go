//go:build unix

package extract

import (
	"os/exec"
	"syscall"
)

// group puts the program into a process group of its own, so that whatever it
// starts ends with it.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
