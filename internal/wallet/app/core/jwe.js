// Encrypted texts (JWE, RFC 7516): ECDH-ES on P-256 and AES-GCM, nothing else (HAIP 1.0 §5, §7).
import { Fault, b64url, concat, hash, must, random, unb64url, utf8 } from "./bytes.js";
import { isObject, object } from "./json.js";
import { publicMembers } from "./jose.js";

const ecdh = { name: "ECDH", namedCurve: "P-256" };
const sizes = /** @type {Record<string, number>} */ ({ A128GCM: 16, A256GCM: 32 });
const maxBytes = 1 << 20;

/** @param {Uint8Array} b */
const prefixed = (b) => {
  const n = new Uint8Array(4);
  new DataView(n.buffer).setUint32(0, b.length);
  return concat(n, b);
};

/**
 * Derives the key of one message (RFC 7518 §4.6.2; one round of the KDF, as both keys are shorter than its hash).
 * @param {CryptoKey} priv @param {CryptoKey} pub @param {string} enc @param {KeyUsage} usage
 */
async function agree(priv, pub, enc, usage) {
  const z = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: pub }, priv, 256));
  const bits = new Uint8Array([0, 0, 0, 0]);
  new DataView(bits.buffer).setUint32(0, sizes[enc] * 8);
  const k = await hash(concat(Uint8Array.of(0, 0, 0, 1), z, prefixed(utf8(enc)), prefixed(new Uint8Array()), prefixed(new Uint8Array()), bits));
  return crypto.subtle.importKey("raw", k.subarray(0, sizes[enc]), "AES-GCM", false, [usage]);
}

/** @param {any} k */
const point = (k) => crypto.subtle.importKey("jwk", publicMembers(k), ecdh, false, []);

/**
 * Chooses the key to encrypt to: on P-256, for ECDH-ES, with a name.
 * @param {any} jwks @returns {any}
 */
export function choose(jwks) {
  const keys = isObject(jwks) && Array.isArray(jwks.keys) ? jwks.keys.slice(0, 16) : [];
  must(keys.every((k) => isObject(k) && k.d === undefined && k.k === undefined), "invalid_request", "a key that is private or symmetric");
  const k = keys.find((k) => k.kty === "EC" && k.crv === "P-256" && k.alg === "ECDH-ES" && (k.use === undefined || k.use === "enc") && typeof k.kid === "string" && k.kid);
  must(k, "invalid_request", "no key to encrypt to");
  return k;
}

/** Chooses the content encryption: the strongest of those that the reader knows. @param {any} supported */
export function select(supported) {
  if (supported === undefined) return "A128GCM";
  const enc = Array.isArray(supported) && ["A256GCM", "A128GCM"].find((e) => supported.includes(e));
  must(enc, "invalid_request", "no encryption that is known");
  return /** @type {string} */ (enc);
}

/** Encrypts to a key, whose name the message carries. @param {Uint8Array} plain @param {any} to @param {string} enc */
export async function seal(plain, to, enc) {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(ecdh, false, ["deriveBits"]));
  const epk = publicMembers(await crypto.subtle.exportKey("jwk", pair.publicKey));
  const head = b64url(utf8(JSON.stringify({ alg: "ECDH-ES", enc, kid: to.kid, epk })));
  const iv = random(12), key = await agree(pair.privateKey, await point(to), enc, "encrypt");
  const out = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(head) }, key, plain));
  return [head, "", b64url(iv), b64url(out.subarray(0, -16)), b64url(out.subarray(-16))].join(".");
}

/** Makes a key for one answer. */
export async function newKey() {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(ecdh, false, ["deriveBits"]));
  const jwk = publicMembers(await crypto.subtle.exportKey("jwk", pair.publicKey));
  return { privateKey: pair.privateKey, jwk: { ...jwk, kid: b64url(random(16)), alg: "ECDH-ES", use: "enc" } };
}

/** Opens a message that calls the key by its name. @param {string} compact @param {{ privateKey: CryptoKey, jwk: { kid: string } }} own */
export async function open(compact, own) {
  must(compact.length <= maxBytes, "unreadable", "too long");
  const parts = compact.split(".");
  must(parts.length === 5 && parts[1] === "", "unreadable", "not an encrypted text");
  const h = object(unb64url(parts[0]), 4096);
  must(h.alg === "ECDH-ES" && sizes[h.enc] && h.zip === undefined && h.crit === undefined && isObject(h.epk), "unsupported", "encryption");
  must(h.kid === own.jwk.kid, "unreadable", "encrypted to another key");
  const [iv, body, tag] = parts.slice(2).map((p) => unb64url(p));
  must(iv.length === 12 && tag.length === 16, "unreadable", "an encrypted text's parts");
  try {
    const key = await agree(own.privateKey, await point(h.epk), h.enc, "decrypt");
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8(parts[0]) }, key, concat(body, tag)));
  } catch {
    throw new Fault("unreadable", "it can't be decrypted with this key");
  }
}
