package link

import "crypto/sha256"

// Hash is a SHA-256 hash: a leaf, a node, a link of a chain.
type Hash = [sha256.Size]byte

// leafHash and nodeHash begin with different bytes, so that no node can be
// passed off as an envelope.
func leafHash(e *Envelope) Hash {
	var b [1 + EnvelopeSize]byte
	copy(b[1:], e[:])
	return sha256.Sum256(b[:])
}

func nodeHash(l, r *Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[1+sha256.Size:], r[:])
	return sha256.Sum256(b[:])
}

// Tree is a Merkle tree over envelopes. Two neighbours make a node; one without
// a neighbour goes up as it is. A Tree may be built again and again, and keeps
// its memory.
type Tree struct {
	nodes  []Hash // level after level, leaves first
	levels []int  // where each level begins
	n      int
}

// Build makes the tree of these envelopes, in this order. There must be at
// least one.
func (t *Tree) Build(envelopes []*Envelope) {
	t.nodes, t.levels, t.n = t.nodes[:0], append(t.levels[:0], 0), len(envelopes)
	for _, e := range envelopes {
		t.nodes = append(t.nodes, leafHash(e))
	}
	for from, width := 0, t.n; width > 1; width = (width + 1) / 2 {
		next := len(t.nodes)
		t.levels = append(t.levels, next)
		for i := from; i < from+width; i += 2 {
			if i+1 == from+width {
				t.nodes = append(t.nodes, t.nodes[i])
				break
			}
			t.nodes = append(t.nodes, nodeHash(&t.nodes[i], &t.nodes[i+1]))
		}
		from = next
	}
}

// Root is the hash at the top.
func (t *Tree) Root() Hash { return t.nodes[len(t.nodes)-1] }

// AppendProof appends the neighbours on the way from leaf i to the root, lowest
// first, and returns their number too.
func (t *Tree) AppendProof(dst []byte, i int) ([]byte, int) {
	count := 0
	for level, width := 0, t.n; width > 1; level, width = level+1, (width+1)/2 {
		if other := i ^ 1; other < width {
			dst = append(dst, t.nodes[t.levels[level]+other][:]...)
			count++
		}
		i /= 2
	}
	return dst, count
}

// rootFrom walks from a leaf to the root. The proof must hold exactly the
// hashes that index and n call for.
func rootFrom(leaf Hash, index, n int, proof []byte) (Hash, bool) {
	if index >= n {
		return Hash{}, false
	}
	h := leaf
	for width := n; width > 1; width = (width + 1) / 2 {
		if other := index ^ 1; other < width {
			if len(proof) < sha256.Size {
				return Hash{}, false
			}
			p := (*Hash)(proof)
			proof = proof[sha256.Size:]
			if index&1 == 0 {
				h = nodeHash(&h, p)
			} else {
				h = nodeHash(p, &h)
			}
		}
		index /= 2
	}
	return h, len(proof) == 0
}
