// Command scanner is a virus scanner for tests and demonstrations: it speaks the
// INSTREAM, PING and VERSION commands of clamd on a TCP port or a Unix socket, and
// knows one virus, the harmless test string of EICAR. It protects nobody: an
// installation uses clamd.
//
//	scanner -listen tcp:127.0.0.1:3310
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"
)

// The test string, turned around so that no scanner takes this file for it.
const eicarBackwards = `*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\4[PA@%P!O5X`

func main() {
	listen := flag.String("listen", "tcp:127.0.0.1:3310", "where to listen: tcp:HOST:PORT or unix:PATH")
	slow := flag.Duration("slow", 0, "how long to think about each content")
	limit := flag.Int64("limit", 25<<20, "the longest content, in bytes (StreamMaxLength)")
	flag.Parse()
	network, address, _ := strings.Cut(*listen, ":")
	l, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "listening on %s:%s\n", network, l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			if err := serve(c, *slow, *limit); err != nil && !errors.Is(err, io.EOF) {
				log.Print(err)
			}
		}()
	}
}

// serve answers one command, as clamd does outside a session.
func serve(c net.Conn, slow time.Duration, limit int64) error {
	if err := c.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	first, err := r.ReadByte()
	if err != nil {
		return err
	}
	end := byte('\n')
	if first == 'z' {
		end = 0
	}
	command, err := r.ReadSlice(end)
	if err != nil {
		return err
	}
	answer := "UNKNOWN COMMAND"
	switch string(bytes.TrimRight(command, "\x00\n")) {
	case "PING":
		answer = "PONG"
	case "VERSION":
		answer = "Diwan example scanner"
	case "INSTREAM":
		if answer, err = look(r, limit); err != nil {
			return err
		}
		time.Sleep(slow)
	}
	_, err = c.Write(append([]byte(answer), end))
	return err
}

// look reads a content in chunks and looks for the string, which may lie across
// two of them.
func look(r io.Reader, limit int64) (string, error) {
	eicar := []byte(eicarBackwards)
	for i, j := 0, len(eicar)-1; i < j; i, j = i+1, j-1 {
		eicar[i], eicar[j] = eicar[j], eicar[i]
	}
	var window []byte
	var total int64
	found := false
	for {
		var n uint32
		if err := binary.Read(r, binary.BigEndian, &n); err != nil {
			return "", err
		}
		switch {
		case n == 0 && found:
			return "stream: Eicar-Test-Signature FOUND", nil
		case n == 0:
			return "stream: OK", nil
		}
		if total += int64(n); total > limit {
			return "INSTREAM size limit exceeded. ERROR", nil
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return "", err
		}
		window = append(window, chunk...)
		found = found || bytes.Contains(window, eicar)
		window = bytes.Clone(window[max(0, len(window)-len(eicar)):])
	}
}
