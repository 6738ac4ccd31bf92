// Proofs that the wallet holds a key: to whom it asks for documents and tokens.
import { b64url, hash, nonce as randomText, utf8 } from "./bytes.js";
import * as jose from "./jose.js";

/** @typedef {{ privateKey: CryptoKey, jwk: jose.PublicJWK }} Pair */

/**
 * A DPoP proof for one request (RFC 9449 §4).
 * @param {Pair} key @param {{ method: string, url: string, now: number, nonce?: string, token?: string }} r
 */
export async function dpop(key, r) {
  const u = new URL(r.url);
  const claims = /** @type {Record<string, any>} */ ({ jti: randomText(), htm: r.method, htu: u.origin + u.pathname, iat: r.now });
  if (r.nonce) claims.nonce = r.nonce;
  if (r.token) claims.ath = b64url(await hash(utf8(r.token)));
  return jose.sign(key.privateKey, { typ: "dpop+jwt", jwk: jose.publicMembers(key.jwk) }, claims);
}

/** Proves a key to which a document is to be bound (OpenID4VCI 1.0 appendix F.1). @param {Pair} key @param {{ issuer: string, nonce: string, now: number }} to */
export const holder = (key, to) =>
  jose.sign(key.privateKey, { typ: "openid4vci-proof+jwt", jwk: jose.publicMembers(key.jwk) }, { aud: to.issuer, iat: to.now, ...(to.nonce && { nonce: to.nonce }) });

/** Proves to a server that this copy of the wallet is the one that is attested. @param {CryptoKey} key @param {{ client: string, server: string, challenge?: string, now: number }} to */
export const instance = (key, to) =>
  jose.sign(key, { typ: "oauth-client-attestation-pop+jwt" }, { iss: to.client, aud: to.server, jti: randomText(), iat: to.now, ...(to.challenge && { challenge: to.challenge }) });

/** A verifier and a challenge (RFC 7636, S256). */
export async function pkce() {
  const verifier = randomText();
  return { verifier, challenge: b64url(await hash(utf8(verifier))) };
}
