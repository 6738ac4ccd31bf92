// COSE_Sign1 (RFC 9052 §4.2) with ECDSA on P-256 and SHA-256.
import { must } from "./bytes.js";
import { decode, encode, Tagged } from "./cbor.js";

const algorithm = { name: "ECDSA", hash: "SHA-256" };

/** @typedef {{ protected: Map<any, any>, unprotected: Map<any, any>, payload: Uint8Array | null, verify: (key: CryptoKey, detached?: Uint8Array) => Promise<void> }} Message */

/** Reads a message, with its tag or without. Nothing in it is to be believed before verify. @param {Uint8Array} b @returns {Message} */
export function parse(b) {
  let v = decode(b);
  if (v instanceof Tagged && v.tag === 18) v = v.value;
  must(Array.isArray(v) && v.length === 4, "unreadable", "not a COSE_Sign1");
  const [head, unprotected, payload, signature] = v;
  must(head instanceof Uint8Array && unprotected instanceof Map && (payload === null || payload instanceof Uint8Array) && signature instanceof Uint8Array, "unreadable", "not a COSE_Sign1");
  const signed = head.length ? decode(head) : new Map();
  must(signed instanceof Map && !signed.has(2) && ![...unprotected.keys()].some((k) => signed.has(k)), "unreadable", "headers of COSE");
  must(signed.get(1) === -7 || signed.get(1) === -9, "unsupported", "algorithm");
  return { protected: signed, unprotected, payload, verify: async (key, detached) => {
    must(/** @type {EcKeyAlgorithm} */ (key.algorithm).namedCurve === "P-256", "unsupported", "a curve");
    must((payload === null) === (detached !== undefined), "unreadable", "the payload is given not at all or twice");
    const content = encode(["Signature1", head, new Uint8Array(), payload ?? detached]);
    must(signature.length === 64 && (await crypto.subtle.verify(algorithm, key, signature, content)), "bad_signature");
  } };
}

/** Signs a payload that is left out of the message. @param {CryptoKey} key @param {Uint8Array} payload */
export async function signDetached(key, payload) {
  const head = encode(new Map([[1, -7]]));
  const signature = new Uint8Array(await crypto.subtle.sign(algorithm, key, encode(["Signature1", head, new Uint8Array(), payload])));
  return [head, new Map(), null, signature];
}
