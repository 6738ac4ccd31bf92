package edverify

import (
	"sync"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// multiple is a point as it is added: y+x, y-x and 2dxy of its affine coordinates.
type multiple struct{ more, less, cross field.Element }

// table holds, for each digit of a scalar, the multiples of a point that the digit may
// stand for: row i has j·2^(width·i)·P at j-1, for j up to 2^(width-1).
type table struct {
	width int
	rows  [][]multiple
}

// scalarBits is one more than the order of the group has, for the sign of the last digit.
const scalarBits = 254

func newTable(p *edwards25519.Point, width int) *table {
	half, count := 1<<(width-1), (scalarBits+width-1)/width
	points := make([]*edwards25519.Point, 0, half*count)
	first := p
	for range count {
		at := first
		for j := range half {
			points = append(points, at)
			if j+1 < half {
				at = new(edwards25519.Point).Add(at, first)
			}
		}
		first = new(edwards25519.Point).Add(at, at)
	}
	flat := affine(points)
	t := &table{width: width}
	for i := range count {
		t.rows = append(t.rows, flat[i*half:(i+1)*half])
	}
	return t
}

// affine brings points into the form in which they are added. Dividing by all their Z
// coordinates takes one inversion: of the product of all (Montgomery's trick).
func affine(points []*edwards25519.Point) []multiple {
	products := make([]field.Element, len(points))
	var all field.Element
	all.One()
	for i, p := range points {
		products[i].Set(&all)
		_, _, z, _ := p.ExtendedCoordinates()
		all.Multiply(&all, z)
	}
	all.Invert(&all)
	out := make([]multiple, len(points))
	for i := len(points) - 1; i >= 0; i-- {
		x, y, z, _ := points[i].ExtendedCoordinates()
		var inverse field.Element
		inverse.Multiply(&all, &products[i])
		all.Multiply(&all, z)
		x.Multiply(x, &inverse)
		y.Multiply(y, &inverse)
		m := &out[i]
		m.more.Add(y, x)
		m.less.Subtract(y, x)
		m.cross.Multiply(x, y)
		m.cross.Multiply(&m.cross, doubled())
	}
	return out
}

// doubled is 2d, with the curve's d = -121665/121666 (RFC 8032, section 5.1).
var doubled = sync.OnceValue(func() *field.Element {
	number := func(n uint32) *field.Element {
		e := new(field.Element).One()
		return e.Mult32(e, n)
	}
	d := new(field.Element).Invert(number(121666))
	d.Multiply(d, number(121665))
	d.Negate(d)
	return d.Add(d, d)
})

// addTo adds scalar·P to sum, or takes it away. The scalar is reduced, of 32 bytes, the
// lowest first.
func (t *table) addTo(sum *point, scalar []byte, minus bool) {
	half, full := 1<<(t.width-1), 1<<t.width
	carry := 0
	for i, row := range t.rows {
		digit := bits(scalar, i*t.width, t.width) + carry
		carry = 0
		if digit > half {
			digit -= full
			carry = 1
		}
		switch {
		case digit > 0:
			sum.add(&row[digit-1], minus)
		case digit < 0:
			sum.add(&row[-digit-1], !minus)
		}
	}
}

// bits reads count bits (fewer than nine) of a number from the given one on.
func bits(b []byte, from, count int) int {
	at := from / 8
	v := 0
	if at < len(b) {
		v = int(b[at])
	}
	if at+1 < len(b) {
		v |= int(b[at+1]) << 8
	}
	return v >> (from % 8) & (1<<count - 1)
}
