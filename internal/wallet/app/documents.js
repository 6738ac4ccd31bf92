// The documents that are held: what they say, what became of them, which copy is shown next.
import { Fault, b64url, must, unb64url } from "./core/bytes.js";
import * as mdoc from "./core/mdoc.js";
import * as sdjwt from "./core/sdjwt.js";
import * as status from "./core/status.js";
import * as net from "./net.js";
import { consult, now, trusted } from "./state.js";
import * as store from "./store.js";

/** @typedef {{ text: string, key: string, status: { uri: string, idx: number } | null, used: number }} Copy */
/**
 * @typedef {{ id: string, issuer: string, known: boolean, issuerName: Record<string, string>, demonstration: boolean, configuration: string, format: string, type: string,
 *   names: Record<string, string>, colour: string, labels: { path: any[], names: Record<string, string> }[], claims: any, authorityKeys: string[], copies: Copy[],
 *   from: number, until: number, issued: number, received: number, notice?: { id: string, endpoint: string, token: string, key: string, ends: number } }} Document
 */
/** @typedef {{ word: "valid" | "suspended" | "revoked" | "expired" | "early" | "unknown", at: number, listed: number }} Standing listed is the date of the oldest list it rests on, 0 for none */

/** @returns {Promise<Document[]>} newest first */
export const all = async () => (await store.all("documents")).sort((/** @type {Document} */ a, /** @type {Document} */ b) => b.received - a.received);

/** @param {string} id @returns {Promise<Document | undefined>} */
export const get = (id) => store.get("documents", id);

/** Claims that are the container's and not what the document says. */
const technical = ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "sub", "jti", "_sd_alg"];

/** @typedef {(below: any[]) => { place: number, names: Record<string, string> }} Within what its issuer calls a member of a value, and its place among the others */
/** @typedef {{ path: any[], value: any, names: Record<string, string>, within?: Within }} Field */

/** What a document says, in its issuer's order, each with its label if it has one. @param {Document} d @returns {Field[]} */
export function fields(d) {
  const list = d.format === "mso_mdoc" ? Object.entries(d.claims).flatMap(([ns, m]) => Object.entries(/** @type {any} */ (m)).map(([k, v]) => ({ path: [ns, k], value: v }))) :
    Object.entries(d.claims).filter(([k]) => !technical.includes(k)).map(([k, v]) => ({ path: [k], value: v }));
  return list.sort((a, b) => described(d, a.path).place - described(d, b.path).place).map((f) => field(d, f.path, f.value));
}

/** A value of a document with the words of all that it holds. @param {Document} d @param {any[]} path @param {any} value @returns {Field} */
export const field = (d, path, value) => ({ path, value, names: label(d, path), within: (below) => described(d, [...path, ...below]) });

/** @param {Document} d @param {any[]} path */
function described(d, path) {
  const i = d.labels.findIndex((l) => same(l.path, path));
  return i < 0 ? { place: d.labels.length, names: {} } : { place: i, names: d.labels[i].names };
}

/** @param {any[]} a @param {any[]} b */
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i] || (x === null && typeof b[i] === "number"));

/** The label of a place; of what lies below a labelled one, that one's. @param {Document} d @param {any[]} path @returns {Record<string, string>} */
export function label(d, path) {
  for (let n = path.length; n > 0; n--) {
    const l = d.labels.find((x) => same(x.path, path.slice(0, n)));
    if (l) return l.names;
  }
  return {};
}

/**
 * Reads a copy and checks everything a holder can: form, signature, who signed, type, the key that it is bound to.
 * @param {string} format @param {string} text @param {any} jwk of the key that was proved @param {string} type that was asked for
 */
export async function readCopy(format, text, jwk, type) {
  const at = now();
  const known = async (/** @type {any[]} */ chain) => {
    try {
      return (await consult((list) => list.issuer(chain, type, at))).answer;
    } catch (e) {
      if (e instanceof Fault && e.code === "untrusted_issuer") return null;
      throw e;
    }
  };
  const authorities = (/** @type {any[]} */ chain) => chain.flatMap((c) => (c.authorityKey ? [b64url(c.authorityKey)] : []));
  if (format === "mso_mdoc") {
    const m = await mdoc.parse(unb64url(text));
    must(m.docType === type, "wrong_type");
    must(m.jwk.x === jwk.x && m.jwk.y === jwk.y, "wrong_key");
    await m.auth.verify(await m.chain[0].key());
    must(m.signed >= m.chain[0].from && m.signed <= m.chain[0].until, "bad_signature", "outside the certificate's time");
    must(m.until > at, "expired");
    return { issuer: await known(m.chain), claims: m.claims, from: m.from, until: m.until, issued: m.signed, status: status.reference({ status_list: m.status }), authorityKeys: authorities(m.chain) };
  }
  must(format === "dc+sd-jwt", "unsupported", format);
  const t = await sdjwt.parse(text), c = t.claims;
  must(t.binding === "", "unreadable", "it came with a proof of somebody's key");
  must(c.vct === type, "wrong_type");
  must(c.cnf?.jwk?.x === jwk.x && c.cnf?.jwk?.y === jwk.y, "wrong_key");
  must(t.token.chain.length > 0, "unsupported", "no certificate");
  await t.token.verify(await t.token.chain[0].key());
  for (const k of ["iat", "nbf", "exp"]) must(c[k] === undefined || Number.isFinite(c[k]), "unreadable", k);
  must(c.exp === undefined || c.exp > at, "expired");
  const { cnf: _, ...shown } = c;
  return { issuer: await known(t.token.chain), claims: shown, from: c.nbf ?? 0, until: c.exp ?? 0, issued: c.iat ?? 0, status: status.reference(c.status), authorityKeys: authorities(t.token.chain) };
}

/** @typedef {status.List & { id: string, got: number }} KeptList */

/**
 * Fetches the lists that are due, of all documents at once: which document is looked up is told to nobody.
 * @param {Document[]} docs @param {boolean} [again] also those that are young
 */
export async function refresh(docs, again = false) {
  await recognise(docs);
  const uris = [...new Set(docs.flatMap((d) => d.copies.flatMap((c) => (c.status ? [c.status.uri] : []))))];
  await Promise.all(uris.map(async (uri) => {
    try {
      await list(uri, again);
    } catch { /* the cards say how old what they rely on is */ }
  }));
}

/** Looks once more for an issuer who was not on the list when a document came. @param {Document[]} docs */
export async function recognise(docs) {
  for (const d of docs.filter((x) => !x.known)) {
    try {
      const c = d.copies[0], key = await store.get("keys", c.key), by = key && (await readCopy(d.format, c.text, key.jwk, d.type)).issuer;
      if (!by) continue;
      Object.assign(d, { known: true, issuerName: by.name, demonstration: by.demonstration });
      await store.change({ store: "documents", put: d });
    } catch { /* it stays unknown */ }
  }
}

/** A list: the kept one while it is young, else a new one. @param {string} uri @param {boolean} [again] @returns {Promise<KeptList>} */
export async function list(uri, again = false) {
  const kept = /** @type {KeptList | undefined} */ (await store.get("lists", uri));
  if (kept && !again && now() < kept.got + kept.ttl && usable(kept)) return kept;
  try {
    const a = await net.call(uri, { headers: { Accept: status.accept } });
    must(a.ok, "status_unknown", "status " + a.status);
    const fresh = { ...(await status.read(a.body, a.type, uri, (await trusted()).list, now())), id: uri, got: now() };
    await store.change({ store: "lists", put: fresh });
    return fresh;
  } catch (e) {
    if (kept && usable(kept)) return kept;
    throw e;
  }
}

/** @param {KeptList} l */
const usable = (l) => !l.expires || l.expires > now();

/** How a document stands, from what is kept: no network is asked. @param {Document} d @returns {Promise<Standing>} */
export async function standing(d) {
  const at = now();
  if (d.until && d.until <= at) return { word: "expired", at, listed: 0 };
  if (d.from > at + 60) return { word: "early", at, listed: 0 };
  let worst = /** @type {Standing["word"]} */ ("valid"), listed = 0;
  const rank = ["valid", "unknown", "suspended", "revoked"];
  for (const c of d.copies) {
    if (!c.status) continue;
    const l = /** @type {KeptList | undefined} */ (await store.get("lists", c.status.uri));
    let word = /** @type {Standing["word"]} */ ("unknown");
    if (l) {
      try {
        word = status.word(status.at(l, c.status.idx));
      } catch { /* stays unknown */ }
      if (!usable(l) && word === "valid") word = "unknown";
      listed = listed ? Math.min(listed, l.issued) : l.issued;
    }
    if (rank.indexOf(word) > rank.indexOf(worst)) worst = word;
  }
  return { word: worst, at, listed };
}

/** Tells whether a document may be shown to anybody. @param {Standing} s */
export const showable = (s) => s.word === "valid" || s.word === "unknown";

/** The copy to show next: of those used least the first. @param {Document} d */
export function nextCopy(d) {
  return d.copies.reduce((best, c) => (c.used < best.used ? c : best));
}
