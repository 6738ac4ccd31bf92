package retrieval

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/andybalholm/brotli"

	"diwan/lexis"
)

// Stems returns the stems of the words of a text that mean something, in
// order.
func Stems(text string) []string {
	var out []string
	eachWord(text, func(w *word) {
		if !w.stop {
			out = append(out, w.stem)
		}
	})
	return out
}

// Forms returns the Latin words of a text, folded, without elided words.
func Forms(text string) []string {
	var out []string
	eachWord(text, func(w *word) {
		if w.script == lexis.Latin {
			out = append(out, w.text)
		}
	})
	return out
}

// maxPacked bounds what a packed table may unfold to.
const maxPacked = 64 << 20

// PackTranslations writes a table small: terms once, sorted, then for each
// term its translations by number with the logarithm of the probability in one
// byte.
func PackTranslations(table []Translation) ([]byte, error) {
	terms := map[string]int{}
	for _, t := range table {
		terms[t.From], terms[t.To] = 0, 0
	}
	sorted := make([]string, 0, len(terms))
	for t := range terms {
		sorted = append(sorted, t)
	}
	sort.Strings(sorted)
	for i, t := range sorted {
		terms[t] = i
	}
	rows := make([][]Translation, len(sorted))
	for _, t := range table {
		rows[terms[t.From]] = append(rows[terms[t.From]], t)
	}
	buf := binary.AppendUvarint(nil, uint64(len(sorted)))
	for _, t := range sorted {
		buf = append(append(buf, t...), '\n')
	}
	var probs []byte
	for _, r := range rows {
		slices.SortFunc(r, func(a, b Translation) int { return cmp.Compare(terms[a.To], terms[b.To]) })
		buf = binary.AppendUvarint(buf, uint64(len(r)))
		last := 0
		for _, t := range r {
			buf = binary.AppendUvarint(buf, uint64(terms[t.To]-last))
			last = terms[t.To]
			probs = append(probs, probByte(t.P))
		}
	}
	return deflate(append(buf, probs...), brotli.BestCompression)
}

// A probability is kept as its logarithm in steps of a sixteenth.
func probByte(p float64) byte {
	return byte(min(255, max(0, math.Round(-16*math.Log(max(p, 1e-9))))))
}

func byteProb(b byte) float64 { return math.Exp(-float64(b) / 16) }

// unpackTranslations reads what PackTranslations wrote.
func unpackTranslations(data []byte) ([]Translation, error) {
	buf, err := inflate(data)
	if err != nil {
		return nil, err
	}
	r := bytes.NewBuffer(buf)
	n, err := binary.ReadUvarint(r)
	if err != nil || n > uint64(r.Len()) {
		return nil, fmt.Errorf("the table of translations has no head")
	}
	terms := make([]string, n)
	for i := range terms {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("reading term %d of a table of translations: %w", i, err)
		}
		terms[i] = line[:len(line)-1]
	}
	var out []Translation
	for i := range terms {
		count, err := binary.ReadUvarint(r)
		if err != nil || count > uint64(r.Len()) {
			return nil, fmt.Errorf("the translations of term %d are cut", i)
		}
		last := uint64(0)
		for range count {
			d, err := binary.ReadUvarint(r)
			if last += d; err != nil || last >= n {
				return nil, fmt.Errorf("term %d is translated by a term that is not there", i)
			}
			out = append(out, Translation{From: terms[i], To: terms[last]})
		}
	}
	probs := r.Bytes()
	if len(probs) != len(out) {
		return nil, fmt.Errorf("a table has %d translations and %d probabilities", len(out), len(probs))
	}
	for i := range out {
		out[i].P = byteProb(probs[i])
	}
	return out, nil
}

// PackWords writes the words that occur at least three times, the most
// frequent first, with the logarithm of the count.
func PackWords(count map[string]int) ([]byte, error) {
	var words []string
	for w, n := range count {
		if n >= 3 && len(w) <= 40 {
			words = append(words, w)
		}
	}
	sort.Strings(words)
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "%s %d\n", w, int(math.Round(8*math.Log(float64(count[w])))))
	}
	return deflate([]byte(b.String()), brotli.BestCompression)
}

// PackPairs writes lines of two texts.
func PackPairs(pairs [][2]string) ([]byte, error) {
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s\t%s\n", p[0], p[1])
	}
	return deflate([]byte(b.String()), brotli.BestCompression)
}

func deflate(data []byte, level int) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, level)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func inflate(data []byte) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(data)), maxPacked))
	if err != nil {
		return nil, fmt.Errorf("unpacking a table: %w", err)
	}
	return out, nil
}
