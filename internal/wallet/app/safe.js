// Protection and backups: the secret is a passphrase or comes out of a passkey (WebAuthn PRF), and is never kept.
import { Fault, b64url, must, random, unb64url } from "./core/bytes.js";
import * as backup from "./core/backup.js";
import * as jose from "./core/jose.js";
import { now } from "./state.js";
import * as store from "./store.js";

export const shortest = 12; // characters of a passphrase

/** Whether this browser knows passkeys at all; whether they have a secret to give is found out by trying. */
export const passkeys = () => typeof PublicKeyCredential !== "undefined";

/** @param {any} c @returns {Uint8Array | null} */
const output = (c) => (c?.getClientExtensionResults().prf?.results?.first ? new Uint8Array(c.getClientExtensionResults().prf.results.first) : null);

/** The secret of a passkey. @param {backup.Way} way */
async function secret(way) {
  let c;
  try {
    c = await navigator.credentials.get({ publicKey: { challenge: random(32), userVerification: "required", allowCredentials: [{ type: "public-key", id: unb64url(way.credential ?? "") }],
      extensions: /** @type {any} */ ({ prf: { eval: { first: unb64url(way.salt) } } }) } });
  } catch {
    throw new Fault("passkey");
  }
  const s = output(c);
  if (!s) throw new Fault("passkey_prf");
  return s;
}

/** @param {backup.Way} way @param {string} passphrase */
const open = async (way, passphrase) => backup.opener(way, way.way === "passkey" ? await secret(way) : passphrase);

/** @returns {Promise<backup.Protection | undefined>} */
export const protection = () => store.meta("protection");

/** Begins to protect by a passphrase. What was received before is not within backups: its keys can't be taken out. @param {string} passphrase */
export async function byPassphrase(passphrase) {
  must([...passphrase].length >= shortest, "passphrase_short");
  const way = /** @type {backup.Way} */ ({ way: "passphrase", salt: b64url(random(16)), iterations: backup.iterations });
  await store.setMeta("protection", await backup.protect(way, await backup.opener(way, passphrase)));
}

/** Begins to protect by a new passkey. @param {string} name that the passkey is shown by */
export async function byPasskey(name) {
  const salt = random(32);
  let c;
  try {
    c = /** @type {any} */ (await navigator.credentials.create({ publicKey: { challenge: random(32), rp: { name }, user: { id: random(16), name, displayName: name },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }, { type: "public-key", alg: -257 }], authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      extensions: /** @type {any} */ ({ prf: { eval: { first: salt } } }) } }));
  } catch {
    throw new Fault("passkey");
  }
  if (!c.getClientExtensionResults().prf?.enabled) throw new Fault("passkey_prf");
  const way = /** @type {backup.Way} */ ({ way: "passkey", salt: b64url(salt), credential: b64url(new Uint8Array(c.rawId)) });
  const key = await backup.opener(way, output(c) ?? (await secret(way)));
  await store.setMeta("protection", await backup.protect(way, key));
}

/** Writes a backup of what can be restored. @param {string} passphrase empty with a passkey @returns {Promise<{ file: string, documents: number, left: number }>} */
export async function write(passphrase) {
  const p = await protection();
  if (!p) throw new Fault("backup_none");
  const key = await open(p.way, passphrase), kept = await store.all("keys"), docs = await store.all("documents");
  const sealed = new Map(kept.filter((k) => k.sealed).map((k) => [k.id, { id: k.id, use: k.use, jwk: k.jwk, sealed: k.sealed }]));
  const whole = docs.filter((d) => d.copies.every((/** @type {any} */ c) => sealed.has(c.key))).map(({ notice: _, ...d }) => d);
  const needed = new Set(whole.flatMap((d) => d.copies.map((/** @type {any} */ c) => c.key)));
  const content = { documents: whole, keys: [...sealed.values()].filter((k) => needed.has(k.id)), history: await store.all("history"), lang: await store.meta("lang") };
  const file = await backup.write(p, key, content, now());
  await store.setMeta("backed", now());
  return { file, documents: whole.length, left: docs.length - whole.length };
}

/** Reads which secret a backup asks for. @param {string} file */
export const peek = (file) => backup.peek(file);

/** Restores a backup. What is there already stays. @param {Awaited<ReturnType<typeof peek>>} f @param {string} passphrase @returns {Promise<number>} documents restored */
export async function restore(f, passphrase) {
  const key = await open(f.way, passphrase), { content, priv } = await backup.read(f, key);
  must([content.documents, content.keys, content.history].every(Array.isArray), "backup_form");
  const have = new Set((await store.all("documents")).map((/** @type {any} */ d) => d.id)), changes = [];
  for (const k of content.keys) {
    const privateKey = await jose.privateKey(await backup.openKey(k.sealed, priv));
    changes.push({ store: "keys", put: { id: String(k.id), use: "holder", jwk: k.jwk, sealed: k.sealed, privateKey } });
  }
  const fresh = content.documents.filter((/** @type {any} */ d) => !have.has(d.id));
  for (const d of fresh) changes.push({ store: "documents", put: d });
  for (const h of content.history) changes.push({ store: "history", put: h });
  if (!(await protection())) changes.push({ store: "meta", put: content.protection, key: "protection" });
  await store.change(...changes, { store: "meta", put: true, key: "begun" }, { store: "meta", put: f.created, key: "backed" });
  return fresh.length;
}
