// Signed texts (JWS, RFC 7515) with ECDSA on P-256, and the names of keys (RFC 7638).
import { Fault, b64url, hash, must, unb64, unb64url, utf8 } from "./bytes.js";
import { Certificate } from "./der.js";
import { isObject, object } from "./json.js";

const es256 = { name: "ECDSA", hash: "SHA-256" };
const p256 = { name: "ECDSA", namedCurve: "P-256" };
const maxBytes = 1 << 18;

/** @typedef {{ kty: string, crv: string, x: string, y: string }} PublicJWK */

/** The members that make a public key, and no other: a name would tell copies apart. @param {JsonWebKey | PublicJWK} k @returns {PublicJWK} */
export const publicMembers = (k) => ({ kty: "EC", crv: "P-256", x: /** @type {string} */ (k.x), y: /** @type {string} */ (k.y) });

/** Reads a public P-256 key. @param {any} k @param {string} [code] @returns {Promise<CryptoKey>} */
export async function publicKey(k, code = "unsupported") {
  must(isObject(k) && k.kty === "EC" && k.crv === "P-256" && k.d === undefined && unb64url(k.x, code).length === 32 && unb64url(k.y, code).length === 32, code, "not a public key on P-256");
  try {
    return await crypto.subtle.importKey("jwk", publicMembers(k), p256, true, ["verify"]);
  } catch {
    throw new Fault(code, "not a point of the curve");
  }
}

/** @param {PublicJWK} k */
export const thumbprint = (k) => hash(utf8(JSON.stringify({ crv: k.crv, kty: k.kty, x: k.x, y: k.y })));

/**
 * @typedef {{ header: Record<string, any>, claims: Record<string, any>, chain: Certificate[], verify: (key: CryptoKey) => Promise<void> }} Token
 *
 * Reads the form of a signed text. It says nothing of who signed it.
 * @param {string} compact @param {string[]} types of the header, with or without "application/" @param {string} [code] @param {string[]} [algorithms] @param {number} [max]
 * @returns {Token}
 */
export function parse(compact, types, code = "unreadable", algorithms = ["ES256"], max = maxBytes) {
  must(typeof compact === "string" && compact.length <= max, code, "too long");
  const parts = compact.split(".");
  must(parts.length === 3, code, "not three parts");
  const [head, body, signature] = parts.map((p) => unb64url(p, code));
  const header = object(head, 1 << 16, code), claims = object(body, max, code);
  const typ = String(header.typ ?? "").toLowerCase().replace(/^application\//, "");
  must(types.includes(typ), "unsupported", "a text of type " + typ);
  must(algorithms.includes(header.alg), "unsupported", "algorithm");
  must(header.crit === undefined, "unsupported", "a critical header");
  const digest = header.alg === "ES384" ? "SHA-384" : "SHA-256";
  /** @type {Certificate[]} */
  let chain = [];
  if (header.x5c !== undefined) {
    must(Array.isArray(header.x5c) && header.x5c.length >= 1 && header.x5c.length <= 6, code, "x5c");
    chain = header.x5c.map((/** @type {string} */ c) => new Certificate(unb64(c, code)));
  }
  return { header, claims, chain, verify: async (key) => {
    must(/** @type {EcKeyAlgorithm} */ (key.algorithm).namedCurve === (digest === "SHA-384" ? "P-384" : "P-256"), "unsupported", "a curve that does not fit the algorithm");
    const ok = await crypto.subtle.verify({ name: "ECDSA", hash: digest }, key, signature, utf8(parts[0] + "." + parts[1]));
    must(ok, "bad_signature");
  } };
}

/** Signs claims. @param {CryptoKey} key @param {Record<string, any>} header with typ @param {Record<string, any>} claims */
export async function sign(key, header, claims) {
  const text = b64url(utf8(JSON.stringify({ alg: "ES256", ...header }))) + "." + b64url(utf8(JSON.stringify(claims)));
  return text + "." + b64url(new Uint8Array(await crypto.subtle.sign(es256, key, utf8(text))));
}

/** Makes a key pair whose private half never leaves the browser. @param {boolean} [extractable] */
export async function newPair(extractable = false) {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(p256, extractable, ["sign", "verify"]));
  return { privateKey: pair.privateKey, publicKey: pair.publicKey, jwk: publicMembers(await crypto.subtle.exportKey("jwk", pair.publicKey)) };
}

/** Reads a private key that can't be taken out again. @param {Uint8Array} pkcs8 */
export const privateKey = (pkcs8) => crypto.subtle.importKey("pkcs8", pkcs8, p256, false, ["sign"]);
