// Token status lists: what became of a document, by its place in a list that its issuer signs.
import { inflate, must, text, unb64url } from "./bytes.js";
import * as cbor from "./cbor.js";
import * as cose from "./cose.js";
import { Certificate } from "./der.js";
import { isObject } from "./json.js";
import * as jose from "./jose.js";

const code = "status_unknown";
const maxToken = 1 << 20, maxBytes = 1 << 20; // 2^22 entries of 2 bits

/** @typedef {{ uri: string, bits: number, data: Uint8Array, issued: number, expires: number, ttl: number }} List */

/** Types of the two forms. */
const jwt = "application/statuslist+jwt", cwt = "application/statuslist+cwt";

/** What is accepted of whoever publishes a list. */
export const accept = jwt + ", " + cwt + ";q=0.5";

/** @typedef {{ sub: any, iat: any, exp: any, ttl: any, bits: any, lst: any }} Said what either form says */

/** @param {Uint8Array} b @param {import("./trust.js").TrustList} trust @param {number} now @returns {Promise<Said>} */
async function fromJWT(b, trust, now) {
  const t = jose.parse(text(b, code), ["statuslist+jwt"], code, ["ES256"], maxToken), l = t.claims.status_list;
  await t.verify(await trust.key(t.chain, "status-lists", now));
  must(isObject(l) && typeof l.lst === "string", code, "status_list");
  return { ...t.claims, bits: l.bits, lst: unb64url(l.lst, code) };
}

/** @param {Uint8Array} b @param {import("./trust.js").TrustList} trust @param {number} now @returns {Promise<Said>} */
async function fromCWT(b, trust, now) {
  must(b.length <= maxToken, code, "too long");
  const m = cose.parse(b[0] === 0xd8 && b[1] === 0x3d ? b.subarray(2) : b); // the tag of a CWT
  must(m.payload && m.protected.get(16) === cwt, "unsupported", "a message of another type");
  const certs = m.unprotected.get(33) ?? m.protected.get(33), chain = (Array.isArray(certs) ? certs : [certs]).slice(0, 7);
  must(chain.every((c) => c instanceof Uint8Array), code, "x5chain");
  await m.verify(await trust.key(chain.map((c) => new Certificate(c)), "status-lists", now));
  const c = cbor.decode(/** @type {Uint8Array} */ (m.payload), code), l = c instanceof Map ? c.get(65533) : null;
  must(l instanceof Map && l.get("lst") instanceof Uint8Array, code, "status_list");
  return { sub: c.get(2), iat: c.get(6), exp: c.get(4), ttl: c.get(65534), bits: l.get("bits"), lst: l.get("lst") };
}

/**
 * Reads and verifies a list in either form: of the address that it was asked for, signed by somebody whom trust accepts for lists.
 * @param {Uint8Array} body @param {string} type of the answer @param {string} uri @param {import("./trust.js").TrustList} trust @param {number} now @returns {Promise<List>}
 */
export async function read(body, type, uri, trust, now) {
  must(type === jwt || type === cwt, "unsupported", "an answer of type " + type);
  const c = await (type === jwt ? fromJWT : fromCWT)(body, trust, now);
  must(c.sub === uri, code, "a list of another address");
  must(Number.isFinite(c.iat) && c.iat <= now + 300, code, "iat");
  must(c.exp === undefined || (Number.isFinite(c.exp) && c.exp > now), code, "an old list");
  must(c.ttl === undefined || (Number.isFinite(c.ttl) && c.ttl > 0), code, "ttl");
  must([1, 2, 4, 8].includes(c.bits), code, "bits");
  const data = await inflate(c.lst, maxBytes, code);
  must(data.length > 0, code, "an empty list");
  return { uri, bits: c.bits, data, issued: c.iat, expires: c.exp ?? 0, ttl: c.ttl ?? 3600 };
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
