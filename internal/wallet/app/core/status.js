// Token status lists: what became of a document, by its place in a list that its issuer signs.
import { inflate, must, unb64url } from "./bytes.js";
import { isObject } from "./json.js";
import * as jose from "./jose.js";

const maxBytes = 1 << 20; // 2^22 entries of 2 bits

/** @typedef {{ uri: string, bits: number, data: Uint8Array, issued: number, expires: number, ttl: number }} List */

/**
 * Reads and verifies a list: of the address that it was asked for, signed by somebody whom trust accepts for lists.
 * @param {string} token @param {string} uri @param {import("./trust.js").TrustList} trust @param {number} now @returns {Promise<List>}
 */
export async function read(token, uri, trust, now) {
  const t = jose.parse(token, ["statuslist+jwt"], "status_unknown"), c = t.claims;
  await t.verify(await trust.key(t.chain, "status-lists", now));
  must(c.sub === uri, "status_unknown", "a list of another address");
  must(Number.isFinite(c.iat) && c.iat <= now + 300, "status_unknown", "iat");
  must(c.exp === undefined || (Number.isFinite(c.exp) && c.exp > now), "status_unknown", "an old list");
  must(c.ttl === undefined || (Number.isFinite(c.ttl) && c.ttl > 0), "status_unknown", "ttl");
  const l = c.status_list;
  must(isObject(l) && [1, 2, 4, 8].includes(l.bits) && typeof l.lst === "string", "status_unknown", "status_list");
  const data = await inflate(unb64url(l.lst, "status_unknown"), maxBytes, "status_unknown");
  must(data.length > 0, "status_unknown", "an empty list");
  return { uri, bits: l.bits, data, issued: c.iat, expires: c.exp ?? 0, ttl: c.ttl ?? 3600 };
}

/** @param {List} l @param {number} index @returns {number} */
export function at(l, index) {
  must(Number.isSafeInteger(index) && index >= 0 && index < (l.data.length * 8) / l.bits, "status_unknown", "a place beyond the list");
  const bit = index * l.bits;
  return (l.data[bit >> 3] >> (bit & 7)) & ((1 << l.bits) - 1);
}

/** The word for a status. @param {number} v @returns {"valid" | "revoked" | "suspended" | "unknown"} */
export const word = (v) => (v === 0 ? "valid" : v === 1 ? "revoked" : v === 2 ? "suspended" : "unknown");

/** Reads a reference to a list from a credential's status claim; null when it names none. @param {any} claim @returns {{ uri: string, idx: number } | null} */
export function reference(claim) {
  const r = isObject(claim) && isObject(claim.status_list) ? claim.status_list : null;
  return r && typeof r.uri === "string" && r.uri.length <= 2048 && Number.isSafeInteger(r.idx) && r.idx >= 0 ? { uri: r.uri, idx: r.idx } : null;
}
