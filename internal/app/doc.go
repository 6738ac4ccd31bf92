// Package app is the one place where the program is put together: it reads the
// configuration, opens the database and the keys, builds every slice, wires
// them to each other and to the server, and starts and stops it all.
package app
