// Package exchange is the secure exchange between administrations as the portal
// runs it: who is a member, what they offer, what they agreed on, and the signed
// directory that their gateways rely on. It is never on the way of a message:
// administrations talk gateway to gateway (package gateway), and go on while all
// of this is down.
//
// Invariants, which the tests hold:
//
//   - The program holds no key of a member. It can't sign a contract for anybody,
//     and a contract that it altered is refused by both gateways.
//   - What gateways report about a person holds no content, and a person is known
//     here only under a reference that says nothing to anybody else.
//   - Each change of members, services, keys and contracts has its audit entry and
//     makes a new directory; the serial of the directory only grows.
//   - A token to join is used once, for one node of one member.
package exchange
