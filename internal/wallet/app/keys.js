// Keys of the wallet. Private halves never leave the browser in the clear; where a backup is wanted, each is sealed to it
// as it is made, and only then becomes impossible to take out.
import { b64url, random } from "./core/bytes.js";
import * as backup from "./core/backup.js";
import * as jose from "./core/jose.js";
import * as store from "./store.js";

/** @typedef {{ id: string, use: string, privateKey: CryptoKey, jwk: jose.PublicJWK, sealed?: any }} Key */

/** Makes a key, not kept yet. @param {string} use "holder", "dpop" or "instance" @returns {Promise<Key>} */
export async function make(use) {
  const protection = use === "holder" ? await store.meta("protection") : undefined;
  const id = b64url(random(16));
  if (!protection) return { id, use, ...(await pair(false)) };
  const { privateKey, jwk } = await pair(true), sealed = await backup.sealKey(protection, privateKey);
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const locked = await jose.privateKey(pkcs8);
  pkcs8.fill(0);
  return { id, use, privateKey: locked, jwk, sealed };
}

/** @param {boolean} extractable */
async function pair(extractable) {
  const { privateKey, jwk } = await jose.newPair(extractable);
  return { privateKey, jwk };
}

/** @param {string} id @returns {Promise<Key>} */
export const get = (id) => store.get("keys", id);

/** @param {Key} k */
export const keep = (k) => ({ store: "keys", put: k });
