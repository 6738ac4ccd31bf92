package main

import (
	"io"
	"os"
)

// open opens a file to read, - being standard input.
func open(env environment, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(env.stdin), nil
	}
	return os.Open(name)
}
