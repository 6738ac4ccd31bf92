//go:build !linux

package app

// letGoOfProgram does nothing: other systems count such pages once.
func letGoOfProgram() {}
