package main

import (
	"os"
	"runtime/pprof"
)

func profOn(p string) {
	if os.Getenv("PROF") != "" {
		f, _ := os.Create(os.Getenv("PROF") + p)
		pprof.StartCPUProfile(f)
	}
}
func profOff() { pprof.StopCPUProfile() }
