// What a verifier asks for (DCQL, OpenID4VP 1.0 §6), applied to what is held: for each question the documents that answer
// it and the fewest claims to disclose.
import { Fault, must } from "./bytes.js";
import { isObject } from "./json.js";

/** @typedef {(string | number | null)[]} Path */
/** @typedef {{ id?: string, path: Path, values?: (string | number | boolean)[], intent_to_retain?: boolean }} Claim */
/** @typedef {{ id: string, format: string, multiple?: boolean, meta: any, trusted_authorities?: any[], require_cryptographic_holder_binding?: boolean, claims?: Claim[], claim_sets?: string[][] }} Question */
/** @typedef {{ credentials: Question[], credential_sets?: { options: string[][], required?: boolean }[] }} Query */
/** @typedef {{ format: string, type: string, claims: any, authorityKeys?: string[] }} Held */
/** @typedef {{ held: number, paths: Path[] }} Match */

const maxDepth = 32;

/**
 * Finds where a path leads, as OpenID4VP 1.0 §7.1.1 says: an element of another kind than is asked for is a failure, an
 * absent one drops out, nothing left is a failure.
 * @param {Path} path @param {any} root @returns {{ path: Path, value: any }[]}
 */
export function locate(path, root) {
  /** @type {{ path: Path, value: any }[]} */
  let found = [{ path: [], value: root }];
  for (const c of path) {
    const next = [];
    for (const m of found) {
      const below = (/** @type {any} */ k) => next.push({ path: [...m.path, k], value: m.value[k] });
      if (typeof c === "string") {
        must(isObject(m.value), "query_not_met", "a path of another kind");
        if (Object.hasOwn(m.value, c)) below(c);
        continue;
      }
      must(Array.isArray(m.value), "query_not_met", "a path of another kind");
      if (c === null) m.value.forEach((/** @type {any} */ _, /** @type {number} */ i) => below(i));
      else if (c < m.value.length) below(c);
    }
    found = next;
  }
  must(found.length > 0, "query_not_met", "a path that leads nowhere");
  return found;
}

const isID = (/** @type {any} */ s) => typeof s === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(s);

/** @param {any} list @param {number} max @param {(x: any) => boolean} each */
const listOf = (list, max, each) => Array.isArray(list) && list.length > 0 && list.length <= max && list.every(each);

/** @param {any} p @returns {p is Path} */
export const isPath = (p) => listOf(p, maxDepth, (c) => c === null || typeof c === "string" || (Number.isSafeInteger(c) && c >= 0 && c <= 1 << 20));

/** Refuses a query that breaks a rule. @param {any} q @returns {Query} */
export function check(q) {
  const rule = (/** @type {any} */ ok, /** @type {string} */ why) => must(ok, "invalid_request", "dcql_query: " + why);
  rule(isObject(q) && listOf(q.credentials, 32, isObject), "credentials");
  const ids = new Set();
  for (const c of q.credentials) {
    rule(isID(c.id) && !ids.has(c.id), "id");
    ids.add(c.id);
    rule(typeof c.format === "string" && c.format !== "" && isObject(c.meta), "format or meta");
    const str = (/** @type {any} */ s) => typeof s === "string" && s !== "" && s.length <= 1024;
    if (c.format === "dc+sd-jwt") rule(listOf(c.meta.vct_values, 64, str), "vct_values");
    if (c.format === "mso_mdoc") rule(str(c.meta.doctype_value), "doctype_value");
    rule(c.multiple === undefined || typeof c.multiple === "boolean", "multiple");
    rule(c.require_cryptographic_holder_binding === undefined || typeof c.require_cryptographic_holder_binding === "boolean", "require_cryptographic_holder_binding");
    rule(c.trusted_authorities === undefined || listOf(c.trusted_authorities, 32, (a) => isObject(a) && str(a.type) && listOf(a.values, 64, str)), "trusted_authorities");
    rule(c.claims === undefined || listOf(c.claims, 128, isObject), "claims");
    const names = new Set();
    for (const k of c.claims ?? []) {
      if (k.id !== undefined || c.claim_sets !== undefined) {
        rule(isID(k.id) && !names.has(k.id), "id of a claim");
        names.add(k.id);
      }
      rule(isPath(k.path), "path");
      if (c.format === "mso_mdoc") rule(k.path.length === 2 && k.path.every((/** @type {any} */ x) => typeof x === "string"), "a path that is not name space and element");
      rule(k.values === undefined || listOf(k.values, 64, (v) => typeof v === "string" || typeof v === "boolean" || Number.isInteger(v)), "values");
    }
    rule(c.claim_sets === undefined || (c.claims !== undefined && listOf(c.claim_sets, 32, (s) => listOf(s, 128, (id) => names.has(id)))), "claim_sets");
  }
  rule(q.credential_sets === undefined || listOf(q.credential_sets, 32, (s) => isObject(s) && listOf(s.options, 32, (o) => listOf(o, 32, (id) => ids.has(id))) &&
    (s.required === undefined || typeof s.required === "boolean")), "credential_sets");
  return q;
}

/** Tells whether a claim has one of the values; numbers beyond what is counted exactly never do. @param {any} v @param {any[]} values */
const hasValue = (v, values) => values.some((w) => v === w && (typeof v !== "number" || Number.isSafeInteger(v)));

/** The places to disclose, or a failure. @param {Claim[]} claims @param {any} root @returns {Path[]} */
function places(claims, root) {
  const out = new Map();
  for (const c of claims) {
    const found = locate(c.path, root).filter((m) => !c.values || hasValue(m.value, c.values));
    must(found.length > 0, "query_not_met", "another value");
    for (const m of found) out.set(JSON.stringify(m.path), m.path);
  }
  return [...out.values()];
}

/** @param {Question} q @param {Held} h @returns {Path[] | null} */
function answer(q, h) {
  const types = q.format === "dc+sd-jwt" ? q.meta.vct_values : q.format === "mso_mdoc" ? [q.meta.doctype_value] : [];
  if (h.format !== q.format || !types.includes(h.type)) return null;
  if (q.trusted_authorities && !q.trusted_authorities.some((a) => a.type === "aki" && a.values.some((/** @type {string} */ v) => h.authorityKeys?.includes(v)))) return null;
  const sets = q.claim_sets ? q.claim_sets.map((s) => (q.claims ?? []).filter((c) => s.includes(/** @type {string} */ (c.id)))) : [q.claims ?? []];
  for (const s of sets) {
    try {
      return places(s, h.claims);
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
    }
  }
  return null;
}

/**
 * Finds what can answer a query that was checked. Of each set that must be answered the verifier's first possible group
 * is taken; sets that may be left are left. What can't be answered whole is not answered at all (§6.4.2).
 * @param {Query} q @param {Held[]} held @returns {{ question: Question, matches: Match[] }[]}
 */
export function evaluate(q, held) {
  const all = new Map(q.credentials.map((c) => [c.id, /** @type {Match[]} */ ([])]));
  for (const c of q.credentials) held.forEach((h, i) => {
    const paths = answer(c, h);
    if (paths) all.get(c.id)?.push({ held: i, paths });
  });
  const can = (/** @type {string} */ id) => (all.get(id)?.length ?? 0) > 0;
  const wanted = new Set(q.credential_sets ? [] : q.credentials.map((c) => c.id));
  for (const s of q.credential_sets ?? []) {
    if (s.required === false) continue;
    const group = s.options.find((o) => o.every(can));
    must(group, "query_not_met", "a set");
    group?.forEach((id) => wanted.add(id));
  }
  must([...wanted].every(can), "query_not_met", "a question");
  return q.credentials.filter((c) => wanted.has(c.id)).map((c) => ({ question: c, matches: all.get(c.id) ?? [] }));
}
