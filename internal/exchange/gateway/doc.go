// Package gateway is the process through which one administration asks others
// and answers them: the edge that its information systems call (X-Road REST
// message protocol), the signed link to other gateways, the contracts that it
// enforces, and the records that it keeps.
//
// # What it promises
//
//   - What a client system gets as an answer was signed by the member asked, is
//     the answer to exactly its request, and is durable in the journals of both
//     sides together with that request; anything else is an error of the exchange,
//     marked by X-Road-Error.
//   - A request reaches a service only under a contract whose signatures this
//     gateway has checked itself, on the path as the service will read it, from
//     the key of the member that the contract names, within its limits, and after
//     the journal holds it. Doubt refuses.
//   - A request that may change something and carries the client's X-Road-Id
//     reaches the service once, however often and through whichever node it comes.
//   - The directory is never on the way of a message: with the directory down,
//     the exchange goes on until the signed index says that it is too old.
//   - No process is primary. Nodes of a member share a database and nothing else;
//     each has its journal and keys.
//
// # On the way of a message, and beside it
//
// Views of the directory and contracts are held ready in memory and replaced
// whole. The database is not touched for a request that changes nothing; one that
// may is claimed there first. All else follows the journal at its own pace: the
// searchable index, notices for the people concerned, counters.
package gateway
