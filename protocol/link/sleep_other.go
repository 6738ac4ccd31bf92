//go:build !linux

package link

import "time"

func shortSleep(d time.Duration) { time.Sleep(d) }
