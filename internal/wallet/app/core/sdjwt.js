// SD-JWT (RFC 9901) and SD-JWT VC: reading with every rule of §7.1, choosing what to disclose, proving the holder's key.
import { b64url, hash, must, unb64url, utf8 } from "./bytes.js";
import { isObject, parse as json } from "./json.js";
import * as jose from "./jose.js";

/** @typedef {import("./dcql.js").Path} Path */
/** @typedef {{ encoded: string, name: string | null, value: any, path: Path | null, parent: number }} Disclosure */

const maxDisclosures = 512;
const open = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"]; // may never be hidden

/**
 * Reads an SD-JWT VC with all its disclosures. It says nothing of who signed it.
 * @param {string} compact
 */
export async function parse(compact) {
  must(compact.length <= 1 << 18, "unreadable", "too long");
  const parts = compact.split("~");
  must(parts.length >= 2 && parts.length <= maxDisclosures + 2, "unreadable", "not an SD-JWT");
  const token = jose.parse(parts[0], ["dc+sd-jwt"]), binding = parts[parts.length - 1];
  const payload = token.claims;
  must(payload._sd_alg === undefined || payload._sd_alg === "sha-256", "unsupported", "_sd_alg");
  /** @type {Disclosure[]} */
  const disclosures = [];
  const byDigest = new Map();
  for (const encoded of parts.slice(1, -1)) {
    const v = json(unb64url(encoded));
    must(Array.isArray(v) && (v.length === 2 || v.length === 3) && typeof v[0] === "string" && (v.length === 2 || typeof v[1] === "string"), "unreadable", "a disclosure");
    const digest = b64url(await hash(utf8(encoded)));
    must(!byDigest.has(digest), "unreadable", "a disclosure twice");
    byDigest.set(digest, disclosures.length);
    disclosures.push({ encoded, name: v.length === 3 ? v[1] : null, value: v[v.length - 1], path: null, parent: -1 });
  }
  const seen = new Set();
  /** @param {any} digest @returns {number} */
  const take = (digest) => {
    must(typeof digest === "string" && !seen.has(digest), "unreadable", "a digest that is no text or stands twice");
    seen.add(digest);
    return byDigest.get(digest) ?? -1;
  };
  /** @param {any} v @param {Path} path @param {number} parent @returns {any} */
  const walk = (v, path, parent) => {
    must(path.length <= 32, "unreadable", "too deep");
    /** @param {number} i @param {string | number} c */
    const placed = (i, c) => {
      const d = disclosures[i];
      must(!open.includes(String(path.length ? path[0] : c)), "unreadable", "a claim that may not be hidden");
      d.path = [...path, c];
      d.parent = parent;
      return (d.value = walk(d.value, d.path, i));
    };
    if (Array.isArray(v)) {
      const out = /** @type {any[]} */ ([]);
      for (const x of v) {
        if (!isObject(x) || !Object.hasOwn(x, "...")) {
          out.push(walk(x, [...path, out.length], parent));
          continue;
        }
        must(Object.keys(x).length === 1, "unreadable", "a hidden element with more beside");
        const i = take(x["..."]);
        if (i < 0) continue;
        must(disclosures[i].name === null, "unreadable", "a disclosure of another kind");
        out.push(placed(i, out.length));
      }
      return out;
    }
    if (!isObject(v)) return v;
    const out = /** @type {Record<string, any>} */ ({});
    for (const [k, x] of Object.entries(v)) {
      must(k !== "..." && (k !== "_sd_alg" || path.length === 0), "unreadable", "a reserved name");
      if (k !== "_sd" && k !== "_sd_alg") set(out, k, walk(x, [...path, k], parent));
    }
    must(v._sd === undefined || Array.isArray(v._sd), "unreadable", "_sd");
    for (const digest of v._sd ?? []) {
      const i = take(digest);
      if (i < 0) continue;
      const name = disclosures[i].name;
      must(name !== null && name !== "_sd" && name !== "..." && !Object.hasOwn(v, name) && !Object.hasOwn(out, name), "unreadable", "a disclosure's name");
      set(out, /** @type {string} */ (name), placed(i, /** @type {string} */ (name)));
    }
    return out;
  };
  const claims = walk(payload, [], -1);
  must(disclosures.every((d) => d.path), "unreadable", "a disclosure that nothing refers to");
  must(typeof claims.vct === "string" && claims.vct, "unreadable", "vct");
  return { token, issuer: parts[0], disclosures, claims, binding, hidden: disclosures.map((d) => /** @type {Path} */ (d.path)) };
}

/** Sets a member whatever its name. @param {any} o @param {string} k @param {any} value */
const set = (o, k, value) => Object.defineProperty(o, k, { value, enumerable: true, configurable: true, writable: true });

/** @param {Path} a @param {Path} b */
const within = (a, b) => a.length <= b.length && a.every((c, i) => c === b[i]);

/**
 * Leaves the disclosures of some places: those at them, below them, and above them, without which they have no place.
 * @param {Awaited<ReturnType<typeof parse>>} t @param {Path[]} places
 */
export function choose(t, places) {
  const keep = new Set();
  t.disclosures.forEach((d, i) => {
    if (places.some((p) => within(p, /** @type {Path} */ (d.path)) || within(/** @type {Path} */ (d.path), p))) for (let j = i; j >= 0; j = t.disclosures[j].parent) keep.add(j);
  });
  return t.issuer + "~" + t.disclosures.filter((_, i) => keep.has(i)).map((d) => d.encoded + "~").join("");
}

/** Shows an SD-JWT with a proof of the holder's key. @param {string} chosen @param {CryptoKey} key @param {{ aud: string, nonce: string, now: number }} to */
export async function present(chosen, key, to) {
  const claims = { iat: to.now, aud: to.aud, nonce: to.nonce, sd_hash: b64url(await hash(utf8(chosen))) };
  return chosen + (await jose.sign(key, { typ: "kb+jwt" }, claims));
}
