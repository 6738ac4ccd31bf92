package seal

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode/utf16"
)

// ErrSealed says that a file has a form or a seal already.
var ErrSealed = errors.New("the file has a seal or a form already")

// rangeWidth is room for the three numbers that are known last.
const rangeWidth = 10

// update is a file with room for a seal.
type update struct {
	b          []byte
	open, shut int // the value of the seal: from its "<" to after its ">"
	rangeAt    int
}

// withRoom adds to a file an empty seal with room for a value of some bytes.
func withRoom(b []byte, o *Options, room int) (*update, error) {
	f, err := readFile(b)
	if err != nil {
		return nil, err
	}
	catalog, entries, err := f.entry(f.root)
	if err != nil {
		return nil, err
	}
	if entries["AcroForm"] != nil || entries["Perms"] != nil {
		return nil, ErrSealed
	}
	pageAt, err := f.firstPage()
	if err != nil {
		return nil, err
	}
	page, err := f.withAnnotation(pageAt, f.size+1)
	if err != nil {
		return nil, err
	}
	seal, field := f.size, f.size+1
	u := &update{}
	w := bytes.NewBuffer(append(make([]byte, 0, len(b)+2*room+4096), b...))
	if b[len(b)-1] != '\n' {
		w.WriteByte('\n')
	}
	offsets := map[int]int{}
	object := func(n int, body string) {
		offsets[n] = w.Len()
		fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
	}
	object(f.root, insert(catalog, fmt.Sprintf(" /AcroForm <</Fields [%d 0 R] /SigFlags 3>>", field)))
	object(pageAt, page)
	// An annotation without an area needs no look of its own in PDF/A (ISO 19005-2,
	// 6.3.3); it prints and can't be moved.
	object(field, fmt.Sprintf("<</Type /Annot /Subtype /Widget /FT /Sig /T %s /Rect [0 0 0 0] /F 132 /P %d 0 R /V %d 0 R>>", textString("Seal"), pageAt, seal))
	offsets[seal] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n<</Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached\n/ByteRange ", seal)
	u.rangeAt = w.Len()
	w.WriteString("[0" + strings.Repeat(" ", 3*(rangeWidth+1)) + "]\n/Contents ")
	u.open = w.Len()
	w.WriteString("<" + strings.Repeat("0", 2*room) + ">")
	u.shut = w.Len()
	w.WriteString(o.entries() + ">>\nendobj\n")
	f.table(w, offsets)
	u.b = w.Bytes()
	copy(u.b[u.rangeAt:], fmt.Sprintf("[0 %*d %*d %*d", rangeWidth, u.open, rangeWidth, u.shut, rangeWidth, len(u.b)-u.shut))
	return u, nil
}

// withAnnotation returns the text of a page that shows one annotation more.
func (f *file) withAnnotation(page, annotation int) (string, error) {
	b, entries, err := f.entry(page)
	if err != nil {
		return "", err
	}
	list, ok := entries["Annots"]
	if !ok {
		return insert(b, fmt.Sprintf(" /Annots [%d 0 R]", annotation)), nil
	}
	if !bytes.HasPrefix(list, []byte("[")) {
		return "", broken("its first page keeps annotations elsewhere")
	}
	longer := fmt.Sprintf("%s %d 0 R]", bytes.TrimSuffix(list, []byte("]")), annotation)
	return strings.Replace(string(b), string(list), longer, 1), nil
}

// insert adds entries at the end of a dictionary.
func insert(dict []byte, entries string) string {
	return strings.TrimSuffix(string(dict), ">>") + entries + ">>"
}

// entries are what a seal says of itself in words.
func (o *Options) entries() string {
	var s strings.Builder
	fmt.Fprintf(&s, "\n/M (%s)", o.At.UTC().Format("D:20060102150405Z"))
	for _, kv := range [][2]string{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}} {
		if kv[1] != "" {
			fmt.Fprintf(&s, " /%s %s", kv[0], textString(kv[1]))
		}
	}
	return s.String()
}

// table writes the cross-reference table of an update and its trailer, which
// keeps the first half of the file's identifier (ISO 32000-1, 14.4).
func (f *file) table(w *bytes.Buffer, offsets map[int]int) {
	var numbers []int
	for n := range offsets {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	start := w.Len()
	w.WriteString("xref\n")
	for i := 0; i < len(numbers); {
		j := i + 1
		for j < len(numbers) && numbers[j] == numbers[j-1]+1 {
			j++
		}
		fmt.Fprintf(w, "%d %d\n", numbers[i], j-i)
		for _, n := range numbers[i:j] {
			fmt.Fprintf(w, "%010d 00000 n \n", offsets[n])
		}
		i = j
	}
	fmt.Fprintf(w, "trailer\n<</Size %d /Root %d 0 R /Prev %d", f.size+2, f.root, f.start)
	for _, key := range []string{"Info", "ID"} {
		if v := f.trailer[key]; v != nil {
			fmt.Fprintf(w, " /%s %s", key, v)
		}
	}
	fmt.Fprintf(w, ">>\nstartxref\n%d\n%%%%EOF\n", start)
}

// textString writes text as PDF wants it: UTF-16, big end first.
func textString(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String() + ">"
}

// readTime reads the time that a seal claims; the zero time when it claims none.
func readTime(b []byte) time.Time {
	t, err := time.Parse("(D:20060102150405Z)", string(b))
	if err != nil {
		return time.Time{}
	}
	return t
}
