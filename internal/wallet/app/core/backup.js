// Backups. Each key of the holder is sealed, as it is made, to a public key whose private half only the holder's secret
// opens: a passphrase, or a passkey's own secret (WebAuthn PRF). So the device itself can't take its keys out again, and
// nobody who gets the file can without the secret. The head of the file is authenticated together with its content.
import { Fault, b64url, concat, hash, must, random, unb64url, utf8 } from "./bytes.js";
import { isObject, object } from "./json.js";

const format = "diwan-wallet-backup";
export const version = 1;
export const iterations = 600000;
const maxIterations = 10000000, maxBytes = 32 << 20;
const ecdh = { name: "ECDH", namedCurve: "P-256" };

/** @typedef {{ way: "passphrase" | "passkey", salt: string, iterations?: number, credential?: string }} Way how the secret opens */
/** @typedef {{ way: Way, iv: string, sealed: string, jwk: JsonWebKey }} Protection */

/**
 * The key that a secret opens with. @param {Way} way @param {string | Uint8Array} secret passphrase, or output of PRF
 */
export async function opener(way, secret) {
  const salt = unb64url(way.salt), aes = { name: "AES-GCM", length: 256 };
  must(salt.length >= 16, "backup_form", "salt");
  if (way.way === "passkey") {
    must(secret instanceof Uint8Array && secret.length === 32, "backup_form", "secret");
    const k = await crypto.subtle.importKey("raw", /** @type {Uint8Array} */ (secret), "HKDF", false, ["deriveKey"]);
    return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt, info: utf8(format) }, k, aes, false, ["encrypt", "decrypt"]);
  }
  const n = way.iterations ?? 0;
  must(way.way === "passphrase" && Number.isSafeInteger(n) && n >= iterations && n <= maxIterations, "backup_form", "iterations");
  const k = await crypto.subtle.importKey("raw", utf8(String(secret).normalize("NFC")), "PBKDF2", false, ["deriveKey"]);
  return crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations: n }, k, aes, false, ["encrypt", "decrypt"]);
}

/** @param {CryptoKey} key @param {Uint8Array} plain @param {Uint8Array} head */
async function seal(key, plain, head) {
  const iv = random(12);
  return { iv: b64url(iv), sealed: b64url(new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: head }, key, plain))) };
}

/** @param {CryptoKey} key @param {{ iv: string, sealed: string }} s @param {Uint8Array} head @param {string} code */
async function unseal(key, s, head, code) {
  const iv = unb64url(s.iv, code), data = unb64url(s.sealed, code);
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: head }, key, data));
  } catch {
    throw new Fault(code);
  }
}

/** Begins to protect keys. @param {Way} way @param {CryptoKey} key of opener @returns {Promise<Protection>} */
export async function protect(way, key) {
  const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(ecdh, true, ["deriveBits"]));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { way, jwk, ...(await seal(key, pkcs8, utf8("sealing key"))) };
}

/** @param {CryptoKey} priv @param {CryptoKey} pub @param {Uint8Array} info @param {KeyUsage} usage */
async function shared(priv, pub, info, usage) {
  const z = await crypto.subtle.deriveBits({ name: "ECDH", public: pub }, priv, 256);
  const k = await crypto.subtle.importKey("raw", z, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info }, k, { name: "AES-GCM", length: 256 }, false, [usage]);
}

/** Seals a private key to the protection, for which no secret is needed. @param {Protection} p @param {CryptoKey} key */
export async function sealKey(p, key) {
  const pub = await crypto.subtle.importKey("jwk", p.jwk, ecdh, true, []);
  const one = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(ecdh, true, ["deriveBits"]));
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", one.publicKey));
  const aes = await shared(one.privateKey, pub, concat(utf8("holder key"), point), "encrypt");
  const s = await seal(aes, new Uint8Array(await crypto.subtle.exportKey("pkcs8", key)), point);
  return { point: b64url(point), ...s };
}

/** Opens the protection. @param {Protection} p @param {CryptoKey} key of opener @param {string} [code] */
export async function openProtection(p, key, code = "backup_secret") {
  const pkcs8 = await unseal(key, p, utf8("sealing key"), code);
  return crypto.subtle.importKey("pkcs8", pkcs8, ecdh, false, ["deriveBits"]);
}

/** Opens a sealed key, as PKCS #8. @param {{ point: string, iv: string, sealed: string }} s @param {CryptoKey} priv of openProtection */
export async function openKey(s, priv) {
  const point = unb64url(s.point, "backup_changed");
  const pub = await crypto.subtle.importKey("raw", point, ecdh, false, []);
  return unseal(await shared(priv, pub, concat(utf8("holder key"), point), "decrypt"), s, point, "backup_changed");
}

/**
 * Writes a backup. Everything but its head is encrypted.
 * @param {Protection} p @param {CryptoKey} key of opener @param {any} content @param {number} now
 */
export async function write(p, key, content, now) {
  await openProtection(p, key); // a secret mistyped would make a file that nobody opens
  const head = b64url(utf8(JSON.stringify({ format, version, created: new Date(now * 1000).toISOString(), way: p.way })));
  const plain = utf8(JSON.stringify({ ...content, protection: p }));
  const s = await seal(key, plain, utf8(head));
  return JSON.stringify({ head, iv: s.iv, data: s.sealed, check: b64url((await hash(utf8(head + s.iv + s.sealed))).subarray(0, 8)) });
}

/**
 * Reads the head of a backup, to know which secret to ask for. The check tells a file that was damaged on its way from a
 * wrong secret; who changes a file on purpose changes the check too, and is found out by the seal.
 * @param {string} file
 */
export async function peek(file) {
  must(file.length <= maxBytes, "backup_form", "too long");
  const f = object(file, maxBytes, "backup_form");
  must(typeof f.head === "string" && typeof f.iv === "string" && typeof f.data === "string", "backup_form", "parts");
  const h = object(unb64url(f.head, "backup_form"), 4096, "backup_form");
  must(h.format === format && Number.isSafeInteger(h.version), "backup_form", "format");
  must(h.version >= version, "backup_older", "version " + h.version);
  must(h.version <= version, "backup_newer", "version " + h.version);
  must(f.check === b64url((await hash(utf8(f.head + f.iv + f.data))).subarray(0, 8)), "backup_changed", "damaged");
  must(isObject(h.way) && ["passphrase", "passkey"].includes(h.way.way) && !Number.isNaN(Date.parse(h.created)), "backup_form", "head");
  return { head: f.head, iv: f.iv, data: f.data, created: Date.parse(h.created) / 1000, way: /** @type {Way} */ (h.way) };
}

/** Opens a backup. @param {Awaited<ReturnType<typeof peek>>} f @param {CryptoKey} key of opener */
export async function read(f, key) {
  const content = object(await unseal(key, { iv: f.iv, sealed: f.data }, utf8(f.head), "backup_secret"), maxBytes, "backup_form");
  must(isObject(content.protection), "backup_form", "protection");
  return { content, priv: await openProtection(content.protection, key, "backup_changed") };
}
