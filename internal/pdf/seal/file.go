package seal

import (
	"bytes"
	"strconv"
)

// file is a PDF file of which the parts are known that an update touches.
type file struct {
	b       []byte
	start   int         // of the newest cross-reference table
	offsets map[int]int // by object number; 0 is free
	trailer map[string][]byte
	root    int
	size    int // one more than the highest object number
}

// readFile reads the cross-reference tables of a file, the newest first.
func readFile(b []byte) (*file, error) {
	if len(b) > MaxFile || !bytes.HasPrefix(b, []byte("%PDF-")) {
		return nil, broken("it does not begin like one")
	}
	tail := bytes.LastIndex(b, []byte("startxref"))
	if tail < 0 || !bytes.Contains(b[tail:], []byte("%%EOF")) {
		return nil, broken("it has no end")
	}
	f := &file{b: b, offsets: map[int]int{}}
	at, err := number(b, tail+len("startxref"))
	if err != nil {
		return nil, err
	}
	f.start = at
	for n := 0; ; n++ {
		if n == maxSections {
			return nil, broken("too many updates")
		}
		t, err := f.section(at)
		if err != nil {
			return nil, err
		}
		if f.trailer == nil {
			f.trailer = t
		}
		prev, ok := t["Prev"]
		if !ok {
			break
		}
		if at, err = number(prev, 0); err != nil {
			return nil, err
		}
	}
	if f.size, err = number(f.trailer["Size"], 0); err != nil || f.size > maxObjects {
		return nil, broken("its size is wrong")
	}
	if f.trailer["Encrypt"] != nil {
		return nil, broken("it is encrypted")
	}
	f.root, err = refTo(f.trailer["Root"])
	return f, err
}

// number reads a whole number that is a place or a count in a file.
func number(b []byte, at int) (int, error) {
	at = blank(b, at)
	n, err := strconv.Atoi(string(b[min(at, len(b)):word(b, at)]))
	if err != nil || n < 0 || n > MaxFile {
		return 0, broken("a number is wrong")
	}
	return n, nil
}

// section reads one cross-reference table with its trailer.
func (f *file) section(at int) (map[string][]byte, error) {
	if at >= len(f.b) || !bytes.HasPrefix(f.b[at:], []byte("xref")) {
		return nil, broken("no cross-reference table at byte %d", at)
	}
	at += len("xref")
	for {
		at = blank(f.b, at)
		if bytes.HasPrefix(f.b[min(at, len(f.b)):], []byte("trailer")) {
			at += len("trailer")
			e, err := end(f.b, at, 0)
			if err != nil {
				return nil, err
			}
			return dict(f.b[at:e])
		}
		next, err := f.entries(at)
		if err != nil {
			return nil, err
		}
		at = next
	}
}

// entries reads one run of a table and returns where it ends.
func (f *file) entries(at int) (int, error) {
	first, err := number(f.b, at)
	if err != nil {
		return 0, err
	}
	at = blank(f.b, word(f.b, at))
	count, err := number(f.b, at)
	if err != nil || first+count > maxObjects {
		return 0, broken("a cross-reference table is wrong")
	}
	at = word(f.b, at)
	for i := range count {
		at = blank(f.b, at)
		offset, err := number(f.b, at)
		if err != nil {
			return 0, err
		}
		at = blank(f.b, word(f.b, at)) // the generation
		at = blank(f.b, word(f.b, at))
		if at >= len(f.b) || f.b[at] != 'n' && f.b[at] != 'f' {
			return 0, broken("a cross-reference table is wrong")
		}
		if f.b[at] == 'f' {
			offset = 0
		}
		if _, newer := f.offsets[first+i]; !newer {
			f.offsets[first+i] = offset
		}
		at++
	}
	return at, nil
}

// object returns an object as it is written, without what a stream holds.
func (f *file) object(n int) ([]byte, error) {
	at := f.offsets[n]
	if at == 0 || at >= len(f.b) {
		return nil, broken("object %d is not there", n)
	}
	at = blank(f.b, at)
	if got, err := number(f.b, at); err != nil || got != n {
		return nil, broken("object %d is not where it should be", n)
	}
	at = blank(f.b, word(f.b, at))
	at = blank(f.b, word(f.b, at))
	if !bytes.HasPrefix(f.b[min(at, len(f.b)):], []byte("obj")) {
		return nil, broken("object %d is not where it should be", n)
	}
	at += len("obj")
	e, err := end(f.b, at, 0)
	if err != nil {
		return nil, err
	}
	return bytes.TrimSpace(f.b[at:e]), nil
}

// entry returns an object with the entries of its dictionary.
func (f *file) entry(n int) ([]byte, map[string][]byte, error) {
	b, err := f.object(n)
	if err != nil {
		return nil, nil, err
	}
	d, err := dict(b)
	return b, d, err
}

// firstPage returns the number of the first page's object.
func (f *file) firstPage() (int, error) {
	_, catalog, err := f.entry(f.root)
	if err != nil {
		return 0, err
	}
	at, err := refTo(catalog["Pages"])
	for range maxDepth {
		if err != nil {
			return 0, err
		}
		_, node, err2 := f.entry(at)
		if err2 != nil {
			return 0, err2
		}
		if string(node["Type"]) == "/Page" {
			return at, nil
		}
		kids := bytes.TrimLeft(node["Kids"], "[ \r\n\t")
		e, ok := reference(kids, 0)
		if !ok {
			return 0, broken("it has no page")
		}
		at, err = refTo(kids[:e])
	}
	return 0, broken("it has no page")
}
