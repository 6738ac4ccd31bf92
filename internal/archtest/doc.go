// Package archtest holds the rules of the house as tests: who may import whom,
// what every package says of itself, which words belong in data and not in
// code, and that the documents name what exists.
package archtest
