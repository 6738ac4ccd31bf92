// Package wallet serves the national wallet: an installable web application in which a
// person keeps documents, and through which they show them. The application runs in
// the person's browser alone: keys, documents and history are kept there, and this
// package never sees them. What it does on the server is
//
//   - to serve the application with a policy of its own and in a form that works
//     without a network, each version under an address of its own;
//   - to tell it whom this installation trusts;
//   - to register a device for a signed-in person by a proof of its key, and to vouch
//     for that device towards the issuer for a limited time;
//   - to list the devices of a person, who can revoke one that was lost.
//
// Which devices there are and how one is vouched for is behind [Devices]: the issuer
// keeps them, since revoking one revokes what was issued to it.
package wallet
