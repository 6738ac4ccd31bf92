package pdf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

func be16(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
func be32(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }

var errFont = errors.New("the font file is cut short")

// sfntTables returns the tables of a TrueType file by their tags.
func sfntTables(raw []byte) (map[string][]byte, error) {
	if len(raw) < 12 {
		return nil, errFont
	}
	out := map[string][]byte{}
	for i := range be16(raw, 4) {
		at := 12 + 16*i
		if at+16 > len(raw) {
			return nil, errFont
		}
		off, n := be32(raw, at+8), be32(raw, at+12)
		if off+n > len(raw) {
			return nil, errFont
		}
		out[string(raw[at:at+4])] = raw[off : off+n]
	}
	for _, tag := range []string{"head", "hhea", "maxp", "hmtx", "loca", "glyf"} {
		if out[tag] == nil {
			return nil, fmt.Errorf("table %s is missing", tag)
		}
	}
	return out, nil
}

// glyphs reads outlines out of one font file.
type glyphs struct {
	loca, glyf, hmtx []byte
	long             bool
	metrics          int
}

func (g glyphs) outline(gid int) []byte {
	var a, b int
	if g.long {
		a, b = be32(g.loca, 4*gid), be32(g.loca, 4*gid+4)
	} else {
		a, b = 2*be16(g.loca, 2*gid), 2*be16(g.loca, 2*gid+2)
	}
	return g.glyf[a:b]
}

// metric returns the advance and the left side bearing.
func (g glyphs) metric(gid int) (advance, lsb uint16) {
	if gid < g.metrics {
		return uint16(be16(g.hmtx, 4*gid)), uint16(be16(g.hmtx, 4*gid+2))
	}
	return uint16(be16(g.hmtx, 4*(g.metrics-1))), uint16(be16(g.hmtx, 4*g.metrics+2*(gid-g.metrics)))
}

// Flags of the parts of a composite glyph (OpenType, glyf table).
const (
	partWords    = 0x0001
	partScale    = 0x0008
	partMore     = 0x0020
	partXYScale  = 0x0040
	partTwoByTwo = 0x0080
)

// parts calls fn with the place of each component's glyph number.
func parts(outline []byte, fn func(at int)) {
	if len(outline) < 10 || int16(be16(outline, 0)) >= 0 {
		return
	}
	for at := 10; at+4 <= len(outline); {
		flags := be16(outline, at)
		fn(at + 2)
		at += 6
		if flags&partWords != 0 {
			at += 2
		}
		switch {
		case flags&partScale != 0:
			at += 2
		case flags&partXYScale != 0:
			at += 4
		case flags&partTwoByTwo != 0:
			at += 8
		}
		if flags&partMore == 0 {
			return
		}
	}
}

// subset returns a TrueType file with the wanted glyphs only, and where each
// went. Glyph 0 stays 0; parts of composite glyphs come along. One glyph without
// outline and width is added at the end, its number is returned too.
func subset(raw []byte, want []int) (data []byte, place map[int]int, empty int, err error) {
	t, err := sfntTables(raw)
	if err != nil {
		return nil, nil, 0, err
	}
	g := glyphs{t["loca"], t["glyf"], t["hmtx"], be16(t["head"], 50) == 1, be16(t["hhea"], 34)}
	place = map[int]int{0: 0}
	order := []int{0}
	add := func(gid int) {
		if _, ok := place[gid]; !ok {
			place[gid] = len(order)
			order = append(order, gid)
		}
	}
	for _, gid := range want {
		add(gid)
	}
	for i := 0; i < len(order); i++ {
		o := g.outline(order[i])
		parts(o, func(at int) { add(be16(o, at)) })
	}
	var glyf, loca, hmtx []byte
	for _, gid := range order {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		o := slices.Clone(g.outline(gid))
		parts(o, func(at int) { binary.BigEndian.PutUint16(o[at:], uint16(place[be16(o, at)])) })
		glyf = append(glyf, o...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		a, l := g.metric(gid)
		hmtx = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(hmtx, a), l)
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf))) // of the empty glyph, and its end
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	hmtx = append(hmtx, 0, 0, 0, 0)
	empty = len(order)
	head, hhea, maxp := slices.Clone(t["head"]), slices.Clone(t["hhea"]), slices.Clone(t["maxp"])
	binary.BigEndian.PutUint32(head[8:], 0)
	binary.BigEndian.PutUint16(head[50:], 1)
	binary.BigEndian.PutUint16(hhea[34:], uint16(empty+1))
	binary.BigEndian.PutUint16(maxp[4:], uint16(empty+1))
	return joinTables(map[string][]byte{"head": head, "hhea": hhea, "maxp": maxp, "hmtx": hmtx, "loca": loca, "glyf": glyf}), place, empty, nil
}

// joinTables writes a TrueType file with right check sums.
func joinTables(t map[string][]byte) []byte {
	tags := slices.Sorted(maps.Keys(t))
	n, log := len(tags), 0
	for 2<<log <= n {
		log++
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{n, 16 << log, log, 16*n - 16<<log} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at, headAt := 12+16*n, 0
	var body []byte
	for _, tag := range tags {
		if tag == "head" {
			headAt = at
		}
		out = append(out, tag...)
		for _, v := range []uint32{tableSum(t[tag]), uint32(at), uint32(len(t[tag]))} {
			out = binary.BigEndian.AppendUint32(out, v)
		}
		body = append(body, t[tag]...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		at = 12 + 16*n + len(body)
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[headAt+8:], 0xb1b0afba-tableSum(out))
	return out
}

func tableSum(b []byte) uint32 {
	var sum uint32
	for i := 0; i < len(b); i += 4 {
		var w [4]byte
		copy(w[:], b[i:])
		sum += binary.BigEndian.Uint32(w[:])
	}
	return sum
}
