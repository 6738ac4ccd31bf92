// Receiving documents (OpenID4VCI 1.0): an offer or a wish, a token bound to a key, proofs of a key for each copy, what is
// not ready yet, and telling the issuer what became of it.
import { Fault, b64url, must, nonce as randomText, random, utf8 } from "./core/bytes.js";
import { isObject, object } from "./core/json.js";
import * as jose from "./core/jose.js";
import * as jwe from "./core/jwe.js";
import { preAuthorized, readOffer } from "./core/offer.js";
import * as proofs from "./core/proofs.js";
import { chained } from "./core/der.js";
import * as device from "./device.js";
import * as documents from "./documents.js";
import * as keys from "./keys.js";
import * as net from "./net.js";
import { now, settings, trusted, anchors } from "./state.js";
import * as store from "./store.js";

/** @typedef {import("./core/offer.js").Offer} Offer */
const copies = 3;

/** @typedef {{ metadata: any, known: boolean, names: Record<string, string> }} Issuer */
/** @typedef {{ id: string, format: string, type: string, scope: string, names: Record<string, string>, about: Record<string, string>, colour: string, labels: { path: any[], names: Record<string, string> }[] }} Configuration */
/** @typedef {{ access: string, scheme: string, key: keys.Key, ends: number, details: any[] }} Token */

/** @param {URLSearchParams} query */
export async function openOffer(query) {
  const value = query.get("credential_offer"), uri = query.get("credential_offer_uri");
  must((value === null) !== (uri === null), "offer", "not one of both");
  if (value !== null) return readOffer(object(value, 1 << 16, "offer"));
  const a = await net.call(/** @type {string} */ (uri), { headers: { Accept: "application/json" }, max: 1 << 16 });
  must(a.ok, "offer_gone", "status " + a.status);
  return readOffer(net.json(a));
}

/** @param {any} list @param {string} [name] @returns {Record<string, string>} by language */
function byLanguage(list, name = "name") {
  const out = /** @type {Record<string, string>} */ ({});
  if (Array.isArray(list)) for (const d of list.slice(0, 64)) if (isObject(d) && typeof d[name] === "string") out[String(d.locale ?? "").split("-")[0].toLowerCase()] ??= d[name].slice(0, 300);
  return out;
}

/** Asks an issuer who it is, and finds out whether somebody known vouches for that. @param {string} id @returns {Promise<Issuer>} */
export async function issuer(id) {
  const head = { "Accept-Language": "*" }, url = net.wellKnown(id, "openid-credential-issuer");
  let a = await net.call(url, { headers: { ...head, Accept: "application/jwt, application/json;q=0.5" } });
  if (!a.ok) a = await net.call(url, { headers: { ...head, Accept: "application/json" } });
  must(a.ok, "issuer", "status " + a.status);
  let m, known = false, t = null;
  if (a.type === "application/jwt") {
    t = jose.parse(net.body(a), ["openidvci-issuer-metadata+jwt"], "issuer");
    if (!t.chain.length) { // signed by a key that nothing here knows
      a = await net.call(url, { headers: { ...head, Accept: "application/json" } });
      t = null;
    }
  }
  if (t) {
    must(t.claims.sub === id && Number.isFinite(t.claims.iat) && t.claims.iat <= now() + 300 && (t.claims.exp === undefined || t.claims.exp > now()), "issuer", "signed metadata");
    await t.verify(await t.chain[0].key());
    known = await vouched(t.chain);
    m = t.claims;
  } else m = net.json(a);
  must(m.credential_issuer === id, "issuer", "it calls itself otherwise");
  known ||= id === (await settings()).issuer;
  must(isObject(m.credential_configurations_supported), "issuer", "configurations");
  for (const k of ["credential_endpoint", "nonce_endpoint", "deferred_credential_endpoint", "notification_endpoint"]) if (k === "credential_endpoint" || m[k] !== undefined) net.address(m[k]);
  const from = { metadata: m, known, names: byLanguage(m.display) };
  if (id === (await settings()).issuer) await store.setMeta("types", Object.fromEntries(Object.keys(m.credential_configurations_supported).flatMap((k) => {
    const c = configuration(from, k);
    return c ? [[c.type, { names: c.names, labels: c.labels }]] : [];
  }))); // for paper, which has no room for labels
  return from;
}

/** Tells whether a chain leads to somebody whom this installation trusts. @param {any[]} chain */
export async function vouched(chain) {
  try {
    await chained(chain, [...(await anchors()), ...(await trusted()).list.roots()], now());
    return true;
  } catch (e) {
    if (e instanceof Fault) return false;
    throw e;
  }
}

/** Reads one configuration; null when the wallet can't hold it. @param {Issuer} from @param {string} id @returns {Configuration | null} */
export function configuration(from, id) {
  const c = from.metadata.credential_configurations_supported[id];
  if (!isObject(c)) return null;
  const type = c.format === "dc+sd-jwt" ? c.vct : c.format === "mso_mdoc" ? c.doctype : undefined;
  const binding = c.cryptographic_binding_methods_supported, proof = c.proof_types_supported?.jwt;
  if (typeof type !== "string" || !Array.isArray(binding) || !binding.some((b) => b === "jwk" || b === "cose_key") || !proof?.proof_signing_alg_values_supported?.includes("ES256") || proof.key_attestations_required) return null;
  const details = isObject(c.credential_metadata) ? c.credential_metadata : {}, display = details.display;
  const colour = Array.isArray(display) && typeof display[0]?.background_color === "string" ? display[0].background_color : "";
  const labels = (Array.isArray(details.claims) ? details.claims.slice(0, 512) : []).flatMap((k) => (isObject(k) && Array.isArray(k.path) ? [{ path: k.path, names: byLanguage(k.display) }] : []));
  return { id, format: c.format, type, scope: typeof c.scope === "string" ? c.scope : "", names: byLanguage(display), about: byLanguage(display, "description"), colour, labels };
}

/** The authorization server of an issuer. @param {Issuer} from @param {string} [wanted] */
async function server(from, wanted) {
  const list = from.metadata.authorization_servers, id = list ? wanted ?? list[0] : from.metadata.credential_issuer;
  must(!list || (Array.isArray(list) && list.includes(id)), "issuer", "authorization_server");
  const a = await net.call(net.wellKnown(id, "oauth-authorization-server"), { headers: { Accept: "application/json" } });
  must(a.ok, "issuer", "status " + a.status);
  const m = net.json(a);
  must(m.issuer === id, "issuer", "its server calls itself otherwise");
  net.address(m.token_endpoint);
  return m;
}

/** The last nonce that each server gave, for DPoP. @type {Map<string, string>} */
const nonces = new Map();

/**
 * Calls with a DPoP proof; once more when the server wants a nonce of its own.
 * @param {keys.Key} key @param {string} url @param {{ headers?: Record<string, string>, body: string, max?: number }} o @param {string} [token]
 */
async function proved(key, url, o, token) {
  const host = net.address(url).origin;
  for (let again = false; ; again = true) {
    const proof = await proofs.dpop(key, { method: "POST", url, now: now(), nonce: nonces.get(host), token });
    const a = await net.call(url, { method: "POST", ...o, headers: { Accept: "application/json", ...o.headers, DPoP: proof, ...(token && { Authorization: "DPoP " + token }) } });
    const fresh = a.headers.get("DPoP-Nonce");
    if (fresh) nonces.set(host, fresh);
    const wants = !a.ok && fresh && (net.refusal(a).error === "use_dpop_nonce" || (a.headers.get("WWW-Authenticate") ?? "").includes("use_dpop_nonce"));
    if (again || !wants) return a;
  }
}

/** @param {any} m of the server @param {keys.Key} key @param {Record<string, string | undefined>} fields @returns {Promise<Token>} */
async function token(m, key, fields) {
  const attested = await device.authenticate(m.issuer, m.challenge_endpoint);
  const client = fields.client_id ?? (Object.keys(attested).length ? (await settings()).client : undefined);
  const a = await proved(key, m.token_endpoint, { headers: { ...net.formType, ...attested }, body: net.form({ ...fields, client_id: client }) });
  if (!a.ok) throw refusedToken(net.refusal(a), fields.tx_code !== undefined);
  const t = net.json(a);
  must(typeof t.access_token === "string" && String(t.token_type).toLowerCase() === "dpop", "issuer", "a token that anybody could use");
  return { access: t.access_token, scheme: "DPoP", key, ends: now() + (Number(t.expires_in) || 300), details: Array.isArray(t.authorization_details) ? t.authorization_details : [] };
}

/** What a refusal of a token means. The protocol has one code for all; servers say more in words. @param {{ error: string, description: string }} r @param {boolean} tx */
function refusedToken(r, tx) {
  const d = r.description;
  if (r.error === "invalid_grant" || r.error === "invalid_tx_code") {
    if (/too often|attempts/i.test(d)) return new Fault("code_dead", d);
    if (/expired/i.test(d)) return new Fault("code_expired", d);
    if (/used|unknown/i.test(d)) return new Fault("code_used", d);
    return new Fault(tx ? "code_wrong" : "code_used", d);
  }
  if (r.error === "invalid_client") return new Fault("device_refused", d);
  return new Fault("refused", r.error + " " + d);
}

/**
 * Takes what an offer promises. The transaction code, if one is asked for, was told to the holder by another way.
 * @param {Offer} offer @param {Issuer} from @param {string[]} wanted configurations @param {string} [tx]
 */
export async function take(offer, from, wanted, tx) {
  must(offer.code, "offer", "without a code");
  const m = await server(from, offer.server), key = await keys.make("dpop");
  const t = await token(m, key, { grant_type: preAuthorized, "pre-authorized_code": offer.code, tx_code: tx });
  return fetchAll(from, wanted, t);
}

/** @param {Issuer} from @param {string[]} wanted @param {Token} t */
async function fetchAll(from, wanted, t) {
  const got = [];
  for (const id of wanted) got.push(await fetchOne(from, id, t));
  return got;
}

/** @param {Issuer} from */
async function freshNonce(from) {
  if (!from.metadata.nonce_endpoint) return "";
  const a = await net.call(from.metadata.nonce_endpoint, { method: "POST" });
  const n = net.json(a).c_nonce, d = a.headers.get("DPoP-Nonce");
  must(a.ok && typeof n === "string" && n, "issuer", "no nonce");
  if (d) nonces.set(net.address(from.metadata.nonce_endpoint).origin, d);
  return n;
}

/** How to encrypt to an issuer; null when it can't be, and need not. @param {any} q request encryption of its metadata */
function encryption(q) {
  try {
    return isObject(q) ? { key: jwe.choose(q.jwks), enc: jwe.select(q.enc_values_supported) } : null;
  } catch (e) {
    if (q.encryption_required) throw e;
    return null;
  }
}

/** Sends a request, encrypted both ways where the issuer can: nothing between here and there reads a document. @param {Issuer} from @param {string} url @param {any} request @param {Token} t */
async function send(from, url, request, t) {
  const to = encryption(from.metadata.credential_request_encryption), r = from.metadata.credential_response_encryption;
  const can = to && isObject(r) && Array.isArray(r.alg_values_supported) && r.alg_values_supported.includes("ECDH-ES");
  must(can || !r?.encryption_required, "unsupported", "encryption of answers");
  const own = can ? await jwe.newKey() : null;
  if (own) request = { ...request, credential_response_encryption: { jwk: own.jwk, enc: jwe.select(r.enc_values_supported) } };
  let body = JSON.stringify(request), type = "application/json";
  if (to) {
    body = await jwe.seal(utf8(body), to.key, to.enc);
    type = "application/jwt";
  }
  const a = await proved(t.key, url, { headers: { "Content-Type": type, Accept: "application/json, application/jwt" }, body, max: 4 << 20 }, t.access);
  if (!a.ok) return { status: a.status, refusal: net.refusal(a), answer: /** @type {any} */ (null) };
  must((a.type === "application/jwt") === !!own, "issuer", "an answer that is not encrypted as was asked");
  return { status: a.status, refusal: null, answer: own ? object(await jwe.open(net.body(a), own), 4 << 20) : net.json(a, 4 << 20) };
}

/** Asks for copies of one document, each with a key of its own. @param {Issuer} from @param {string} id @param {Token} t */
async function fetchOne(from, id, t) {
  const c = configuration(from, id);
  if (!c) throw new Fault("unsupported", id);
  const batch = Number(from.metadata.batch_credential_issuance?.batch_size) || 1;
  const own = await Promise.all(Array.from({ length: Math.min(copies, Math.max(1, batch)) }, () => keys.make("holder")));
  const identifier = t.details.find((d) => isObject(d) && d.credential_configuration_id === id)?.credential_identifiers?.[0];
  const ask = async () => {
    const nonce = await freshNonce(from), list = await Promise.all(own.map((k) => proofs.holder(k, { issuer: from.metadata.credential_issuer, nonce, now: now() })));
    const named = identifier ? { credential_identifier: identifier } : { credential_configuration_id: id };
    return send(from, from.metadata.credential_endpoint, { ...named, proofs: { jwt: list } }, t);
  };
  let a = await ask();
  if (a.refusal?.error === "invalid_nonce") a = await ask();
  if (a.refusal) throw new Fault(a.refusal.error === "credential_request_denied" ? "denied" : "refused", a.refusal.error + " " + a.refusal.description);
  if (a.status === 202 || a.answer.transaction_id) return wait(from, c, own, t, a.answer);
  return keep(from, c, own, t, a.answer);
}

/** @typedef {{ id: string, issuer: string, configuration: string, names: Record<string, string>, transaction: string, next: number, token: string, ends: number, key: string, keys: string[] }} Waiting */

/** Remembers what the issuer has not ready yet. @param {Issuer} from @param {Configuration} c @param {keys.Key[]} own @param {Token} t @param {any} answer */
async function wait(from, c, own, t, answer) {
  must(typeof answer.transaction_id === "string" && from.metadata.deferred_credential_endpoint, "issuer", "deferred");
  /** @type {Waiting} */
  const w = { id: b64url(random(16)), issuer: from.metadata.credential_issuer, configuration: c.id, names: c.names, transaction: answer.transaction_id, next: now() + (Number(answer.interval) || 60),
    token: t.access, ends: t.ends, key: t.key.id, keys: own.map((k) => k.id) };
  await store.change(...[t.key, ...own].map(keys.keep), { store: "waiting", put: w });
  return { waiting: w };
}

/** Asks again for what was not ready. Null when it still is not. @param {Waiting} w */
export async function resume(w) {
  const from = await issuer(w.issuer), c = configuration(from, w.configuration);
  if (!c) throw new Fault("unsupported", w.configuration);
  const key = await keys.get(w.key), own = await Promise.all(w.keys.map(keys.get));
  const t = { access: w.token, scheme: "DPoP", key, ends: w.ends, details: [] };
  const a = await send(from, from.metadata.deferred_credential_endpoint, { transaction_id: w.transaction }, t);
  if (a.refusal) {
    const over = ["invalid_transaction_id", "credential_request_denied", "invalid_token"].includes(a.refusal.error);
    if (over) await store.change({ store: "waiting", drop: w.id }, ...w.keys.map((id) => ({ store: "keys", drop: id })));
    throw new Fault(over ? "denied" : "refused", a.refusal.error + " " + a.refusal.description);
  }
  if (a.status === 202 || a.answer.transaction_id) {
    await store.change({ store: "waiting", put: { ...w, next: now() + (Number(a.answer.interval) || 60) } });
    return null;
  }
  return keep(from, c, own, t, a.answer, [{ store: "waiting", drop: w.id }]);
}

/**
 * Checks what came and keeps it, keys and copies together; then tells the issuer.
 * @param {Issuer} from @param {Configuration} c @param {keys.Key[]} own @param {Token} t @param {any} answer @param {any[]} [more]
 */
async function keep(from, c, own, t, answer, more = []) {
  const note = typeof answer.notification_id === "string" && from.metadata.notification_endpoint ?
    { id: answer.notification_id, endpoint: from.metadata.notification_endpoint, token: t.access, key: t.key.id, ends: t.ends } : undefined;
  try {
    const list = answer.credentials;
    must(Array.isArray(list) && list.length > 0 && list.length <= own.length && list.every((x) => isObject(x) && typeof x.credential === "string"), "unreadable", "credentials");
    const read = [];
    for (const [i, x] of list.entries()) read.push(await match(c, x.credential, own, i));
    const first = read[0].copy, by = first.issuer;
    must(read.every((r) => JSON.stringify(content(r.copy.claims)) === JSON.stringify(content(first.claims)) && r.copy.issuer?.id === by?.id), "unreadable", "copies that differ");
    must(new Set(read.map((r) => r.key.id)).size === read.length, "wrong_key");
    /** @type {documents.Document} */
    const d = { id: b64url(random(16)), issuer: from.metadata.credential_issuer, known: !!by, issuerName: by ? by.name : from.names, demonstration: !!by?.demonstration, configuration: c.id, format: c.format,
      type: c.type, names: c.names, colour: c.colour, labels: c.labels, claims: first.claims, authorityKeys: first.authorityKeys, from: first.from, until: first.until, issued: first.issued, received: now(), notice: note,
      copies: read.map((r) => ({ text: r.text, key: r.key.id, status: r.copy.status, used: 0 })) };
    await store.change(...more, keys.keep(t.key), ...read.map((r) => keys.keep(r.key)), { store: "documents", put: d });
    if (note) await tell(note, t.key, "credential_accepted");
    await documents.refresh([d], true);
    return { document: d };
  } catch (e) {
    if (note) await tell(note, t.key, "credential_failure");
    throw e;
  }
}

/** What must be the same in all copies. @param {any} claims */
const content = (claims) => Object.entries(claims).filter(([k]) => k !== "status" && k !== "iat").sort(([a], [b]) => (a < b ? -1 : 1));

/** Finds the key that a copy is bound to: the one in its place, in general. @param {Configuration} c @param {string} text @param {keys.Key[]} own @param {number} i */
async function match(c, text, own, i) {
  for (const k of [own[i], ...own]) {
    try {
      return { key: k, text, copy: await documents.readCopy(c.format, text, k.jwk, c.type) };
    } catch (e) {
      if (!(e instanceof Fault) || e.code !== "wrong_key") throw e;
    }
  }
  throw new Fault("wrong_key");
}

/** Tells the issuer what became of a document. Nothing depends on it. @param {NonNullable<documents.Document["notice"]>} n @param {keys.Key} key @param {string} event */
async function tell(n, key, event) {
  if (n.ends <= now()) return false;
  try {
    const a = await proved(key, n.endpoint, { headers: { "Content-Type": "application/json" }, body: JSON.stringify({ notification_id: n.id, event }) }, n.token);
    return a.ok;
  } catch {
    return false;
  }
}

/** Deletes a document with its keys and tells the issuer. @param {documents.Document} d @returns {Promise<boolean>} whether it could be told */
export async function remove(d) {
  const key = d.notice && (await keys.get(d.notice.key));
  const told = d.notice && key ? await tell(d.notice, key, "credential_deleted") : false;
  await store.change({ store: "documents", drop: d.id }, ...d.copies.map((c) => ({ store: "keys", drop: c.key })));
  return told;
}

/**
 * Begins to ask for a document on the issuer's own pages: returns the address where the person decides.
 * @param {Issuer} from @param {Configuration} c @param {string} [state] of an offer @param {string} [serverID] of an offer
 */
export async function wish(from, c, state, serverID) {
  const m = await server(from, serverID), key = await keys.make("dpop"), { verifier, challenge } = await proofs.pkce(), own = await settings();
  for (const k of ["pushed_authorization_request_endpoint", "authorization_endpoint"]) net.address(m[k]);
  const attested = await device.authenticate(m.issuer, m.challenge_endpoint);
  const back = new URL("/wallet/", location.href).href, token = randomText();
  const fields = { response_type: "code", client_id: own.client, redirect_uri: back, scope: c.scope || undefined, code_challenge: challenge, code_challenge_method: "S256", state: token, issuer_state: state,
    authorization_details: c.scope ? undefined : JSON.stringify([{ type: "openid_credential", credential_configuration_id: c.id }]) };
  const a = await proved(key, m.pushed_authorization_request_endpoint, { headers: { ...net.formType, ...attested }, body: net.form(fields) });
  if (!a.ok) throw refusedToken(net.refusal(a), false);
  const uri = net.json(a).request_uri;
  must(typeof uri === "string", "issuer", "request_uri");
  await store.change(keys.keep(key), { store: "meta", key: "flow", put: { state: token, verifier, key: key.id, configuration: c.id, issuer: from.metadata.credential_issuer, server: m.issuer, back, at: now() } });
  const to = new URL(m.authorization_endpoint);
  to.searchParams.set("client_id", own.client);
  to.searchParams.set("request_uri", uri);
  return to.href;
}

/** Goes on when the person comes back from the issuer's pages. @param {URLSearchParams} query */
export async function back(query) {
  const f = await store.meta("flow");
  must(f && query.get("state") === f.state && now() < f.at + 3600, "flow", "nobody waits for this answer");
  await store.setMeta("flow", undefined);
  must(query.get("iss") === f.server, "flow", "another server answers");
  if (query.get("error")) throw new Fault(query.get("error") === "access_denied" ? "declined" : "refused", String(query.get("error")));
  const from = await issuer(f.issuer), m = await server(from, from.metadata.authorization_servers ? f.server : undefined), key = await keys.get(f.key);
  const t = await token(m, key, { grant_type: "authorization_code", code: query.get("code") ?? "", code_verifier: f.verifier, redirect_uri: f.back, client_id: (await settings()).client });
  return fetchAll(from, [f.configuration], t);
}
