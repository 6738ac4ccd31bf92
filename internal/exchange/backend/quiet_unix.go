//go:build unix

package backend

import "syscall"

// nothingArrived looks at a socket without waiting or taking anything from it:
// data, an end of data and an error all mean that something arrived.
func nothingArrived(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
