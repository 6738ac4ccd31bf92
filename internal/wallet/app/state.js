// What every part of the wallet knows: whom this installation trusts, and what time it is.
import { Fault, must, unb64 } from "./core/bytes.js";
import { Certificate } from "./core/der.js";
import { object } from "./core/json.js";
import * as trust from "./core/trust.js";
import * as net from "./net.js";
import * as store from "./store.js";

/** @typedef {{ issuer: string, client: string, anchors: string[], demo: boolean, now: number, clocks: [number, number][], languages: { code: string, name: string, dir: string }[], signIn: Record<string, string> }} Config */

/** @type {Config} */
let config;
let offset = 0;

/** Seconds since 1970. A demonstration has a clock of its own, which its wallet follows. */
export const now = () => Math.floor(Date.now() / 1000) + offset;

/** What the installation says of itself; the last that was heard without a network. */
export async function settings() {
  if (config) return config;
  let c;
  try {
    const r = await fetch("/wallet/config.json", { cache: "no-cache" });
    if (!r.ok) throw new Error(String(r.status));
    c = object(new Uint8Array(await r.arrayBuffer()), 1 << 20);
    if (c.demo) c.offset = c.now - Math.floor(Date.now() / 1000);
    await store.setMeta("config", c);
  } catch {
    c = await store.meta("config");
  }
  must(c && typeof c.issuer === "string" && Array.isArray(c.anchors), "network", "never heard of this installation");
  offset = c.demo && Math.abs(c.offset) > 30 ? c.offset : 0;
  return (config = /** @type {Config} */ (c));
}

/** The certificates at the top, which this installation gives by its own address. */
export const anchors = async () => (await settings()).anchors.map((a) => new Certificate(unb64(a)));

/** @typedef {{ list: trust.TrustList, got: number }} Held */

/** @type {Held | undefined} */
let held;

/** Seconds after which somebody who is not on the list that is held is looked for on a new one. */
const lookAgain = 2;

/**
 * Asks the list something; when it knows nobody of that name and is not just fetched, once more on a new one: an issuer
 * may have a new key since.
 * @template T @param {(list: trust.TrustList) => Promise<T>} question @returns {Promise<{ answer: T, held: Held }>}
 */
export async function consult(question) {
  let h = await trusted();
  try {
    return { answer: await question(h.list), held: h };
  } catch (e) {
    if (!(e instanceof Fault) || e.code !== "untrusted_issuer" || now() < h.got + lookAgain) throw e;
    h = await trusted(true);
    return { answer: await question(h.list), held: h };
  }
}

/**
 * The list of who may issue what: the one that is held while it is young, else a new one; without a network the one that
 * is held, whatever its age (see its fresh).
 * @param {boolean} [again] asks for a new one
 * @returns {Promise<Held>}
 */
export async function trusted(again = false) {
  const c = await settings(), roots = await anchors();
  if (!held) {
    const kept = await store.meta("trust");
    if (kept) try {
      held = { list: await trust.read(kept.token, c.issuer, roots, now()), got: kept.got };
    } catch { /* another one is fetched below */ }
  }
  if (held && !again && now() < held.got + held.list.ttl) return held;
  try {
    const a = await net.call(c.issuer + "/trust/issuers", { headers: { Accept: "application/issuer-list+jwt" }, max: 1 << 20 });
    must(a.ok, "network", "status " + a.status);
    const token = net.body(a), list = await trust.read(token, c.issuer, roots, now());
    held = { list, got: now() };
    await store.setMeta("trust", { token, got: held.got });
  } catch (e) {
    if (!held) throw e instanceof Fault && e.code === "network" ? new Fault("network", e.message, e.more) : e;
  }
  return /** @type {Held} */ (held);
}
