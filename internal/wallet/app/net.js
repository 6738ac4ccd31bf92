// Calls to others. Every address may come from a stranger: only https (or this very machine), no cookies, no redirects,
// bounded in bytes and time.
import { address } from "./core/address.js";
import { Fault, concat, must, text } from "./core/bytes.js";
import { object } from "./core/json.js";

export { address };
const seconds = 20;

/** @typedef {{ ok: boolean, status: number, type: string, headers: Headers, body: Uint8Array }} Answer */

/**
 * @param {string} url @param {{ method?: string, headers?: Record<string, string>, body?: string, max?: number }} [o]
 * @returns {Promise<Answer>}
 */
export async function call(url, o = {}) {
  const u = address(url), max = o.max ?? 1 << 20;
  try {
    const r = await fetch(u, { method: o.method ?? "GET", headers: o.headers, body: o.body, redirect: "error", credentials: "omit", cache: "no-store",
      referrerPolicy: "no-referrer", signal: AbortSignal.timeout(seconds * 1000) });
    return { ok: r.ok, status: r.status, headers: r.headers, type: (r.headers.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase(), body: await bounded(r, max) };
  } catch (e) {
    throw e instanceof Fault ? e : new Fault("network", u.host + ": " + e, { host: u.host });
  }
}

/** @param {Response} r @param {number} max */
async function bounded(r, max) {
  const parts = [];
  let n = 0;
  if (!r.body) return new Uint8Array();
  const reader = r.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    n += value.length;
    if (n > max) {
      await reader.cancel();
      throw new Fault("unreadable", "an answer of more than " + max + " bytes");
    }
    parts.push(value);
  }
}

/** Reads the JSON of an answer. @param {Answer} a @param {number} [max] */
export function json(a, max = 1 << 20) {
  must(a.type === "application/json" || a.type.endsWith("+json"), "unreadable", "an answer of type " + a.type);
  return object(a.body, max);
}

/** The error of an answer as the protocols write it, for being told apart. @param {Answer} a */
export function refusal(a) {
  try {
    const o = object(a.body, 1 << 16);
    return { error: String(o.error ?? ""), description: String(o.error_description ?? o.detail ?? "").slice(0, 300) };
  } catch {
    return { error: "", description: "" };
  }
}

/** @param {Record<string, string | undefined>} fields */
export const form = (fields) => new URLSearchParams(Object.entries(fields).filter(([, v]) => v !== undefined).map(([k, v]) => [k, /** @type {string} */ (v)])).toString();

export const formType = { "Content-Type": "application/x-www-form-urlencoded" };

/** The address of a well-known document: its name goes between host and path. @param {string} identifier @param {string} name */
export function wellKnown(identifier, name) {
  const u = address(identifier);
  must(!u.search, "address", "an identifier has no query");
  return u.origin + "/.well-known/" + name + (u.pathname === "/" ? "" : u.pathname.replace(/\/$/, ""));
}

/** @param {Answer} a */
export const body = (a) => text(a.body);
