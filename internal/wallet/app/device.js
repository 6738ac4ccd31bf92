// This device and the installation: registered for a person who is signed in, vouched for towards the issuer for a while,
// revoked by the person when it is lost.
import { Fault, must } from "./core/bytes.js";
import { object } from "./core/json.js";
import * as proofs from "./core/proofs.js";
import * as keys from "./keys.js";
import * as net from "./net.js";
import { now, settings } from "./state.js";
import * as store from "./store.js";

/** @typedef {{ id: string, name: string, key: string, attestation: string, ends: number, revoked?: boolean }} Device */

/** @returns {Promise<Device | undefined>} */
export const current = () => store.meta("device");

/** The key by which this copy of the wallet is known, made once. */
async function instance() {
  const id = await store.meta("instance");
  if (id) return keys.get(id);
  const k = await keys.make("instance");
  await store.change(keys.keep(k), { store: "meta", put: k.id, key: "instance" });
  return k;
}

/** @param {string} path @param {any} body @returns {Promise<Record<string, any>>} */
async function ask(path, body) {
  const k = await instance(), c = await settings();
  let r;
  try {
    r = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json",
      DPoP: await proofs.dpop(k, { method: "POST", url: c.issuer + path, now: now() }) }, body: JSON.stringify(body), credentials: "same-origin", redirect: "error" });
  } catch {
    throw new Fault("network");
  }
  const b = new Uint8Array(await r.arrayBuffer());
  if (r.status === 401) throw new Fault("sign_in");
  if (r.status === 403 || r.status === 404 || r.status === 409) throw new Fault("device_refused", String(object(b).detail ?? ""));
  must(r.ok, "device_refused", "status " + r.status);
  return object(b);
}

/** Registers this device. Fault "sign_in" when nobody is signed in. @param {string} name */
export async function register(name) {
  const a = await ask("/wallet/api/devices", { name });
  /** @type {Device} */
  const d = { id: String(a.id), name, key: (await instance()).id, attestation: String(a.attestation), ends: Number(a.expires) };
  await store.setMeta("device", d);
  return d;
}

/** The attestation of this device, renewed when it is about to end; null when there is none. */
export async function attestation() {
  const d = await current();
  if (!d || d.revoked) return null;
  if (d.ends > now() + 120) return d;
  try {
    const a = await ask("/wallet/api/devices/" + encodeURIComponent(d.id) + "/attestation", {});
    const next = { ...d, attestation: String(a.attestation), ends: Number(a.expires) };
    await store.setMeta("device", next);
    return next;
  } catch (e) {
    if (e instanceof Fault && e.code === "device_refused") await store.setMeta("device", { ...d, revoked: true });
    return null;
  }
}

/**
 * The headers by which the wallet authenticates to the issuer of its own installation. To others it shows no attestation:
 * its key would let them find out that two requests are of one holder.
 * @param {string} server issuer identifier of the authorization server @param {string | undefined} challengeEndpoint
 * @returns {Promise<Record<string, string>>}
 */
export async function authenticate(server, challengeEndpoint) {
  const c = await settings();
  const d = server === c.issuer ? await attestation() : null;
  if (!d) return {};
  const k = await keys.get(d.key);
  let challenge;
  if (challengeEndpoint) challenge = String(net.json(await net.call(challengeEndpoint, { method: "POST" })).attestation_challenge ?? "");
  return { "OAuth-Client-Attestation": d.attestation, "OAuth-Client-Attestation-PoP": await proofs.instance(k.privateKey, { client: c.client, server, challenge, now: now() }) };
}
