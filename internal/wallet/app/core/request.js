// A verifier's request (OpenID4VP 1.0 §5): who signed it, for whom, where the answer goes.
import { Fault, b64url, must } from "./bytes.js";
import { address } from "./address.js";
import * as dcql from "./dcql.js";
import * as jose from "./jose.js";
import { isObject } from "./json.js";
import * as jwe from "./jwe.js";

export const type = "oauth-authz-req+jwt";
const audience = "https://self-issued.me/v2";

/** @typedef {{ clientID: string, mode: string, uri: string, nonce: string, state: string, query: dcql.Query, metadata: any, name: string, names: Record<string, string>, purposes: Record<string, string>, demonstration: boolean, registration: string, host: string }} Request */

/**
 * Reads a request and checks that it is the one that the link leads to, and whose it says it is. Before it is known to
 * whom an answer may go, every fault is thrown; one found after that is returned beside the request, for its verifier to
 * be told.
 * @param {string} text @param {string} clientID of the link @param {string} sent nonce, or empty @param {number} now
 * @returns {Promise<{ request: Request, chain: import("./der.js").Certificate[], fault: Fault | null }>}
 */
export async function read(text, clientID, sent, now) {
  const t = jose.parse(text, [type], "invalid_request"), c = t.claims, leaf = t.chain[0];
  must(leaf, "verifier", "no certificate");
  for (const [i, x] of t.chain.entries()) {
    must(!x.selfNamed, "verifier", "a certificate that signed itself");
    must(i === 0 || (await t.chain[i - 1].signedBy(x)), "verifier", "a chain that does not hold");
  }
  must(leaf.validAt(now), "verifier", "its certificate is not of this time");
  await t.verify(await leaf.key());
  const rule = (/** @type {any} */ ok, /** @type {string} */ why) => must(ok, "invalid_request", why);
  rule(c.client_id === clientID, "client_id is not that of the link");
  const aud = Array.isArray(c.aud) ? c.aud : [c.aud];
  rule(aud.length === 1 && aud[0] === audience, "aud");
  rule(!sent || c.wallet_nonce === sent, "wallet_nonce");
  rule(c.iat === undefined || (Number.isFinite(c.iat) && c.iat <= now + 60), "iat");
  rule(c.exp === undefined || (Number.isFinite(c.exp) && c.exp > now), "expired");
  const to = address(c.response_uri), at = clientID.indexOf(":"), name = clientID.slice(at + 1);
  if (clientID.startsWith("x509_hash:")) must(name === b64url(await leaf.fingerprint()), "verifier", "the name is another's");
  else must(leaf.hosts.includes(name.toLowerCase()) && to.hostname === name.toLowerCase(), "verifier", "the name is another's");
  rule(c.redirect_uri === undefined, "redirect_uri");
  rule(c.response_mode === "direct_post" || c.response_mode === "direct_post.jwt", "response_mode");
  const safe = /^[A-Za-z0-9._~-]*$/;
  rule(c.state === undefined || (typeof c.state === "string" && safe.test(c.state) && c.state.length <= 1024), "state");
  const said = isObject(c.client_metadata) ? c.client_metadata : {};
  const info = inform(c.verifier_info);
  /** @type {Request} */
  const r = { clientID, mode: c.response_mode, uri: c.response_uri, nonce: c.nonce, state: c.state ?? "", query: { credentials: [] }, metadata: said, name: leaf.organization || leaf.commonName || to.hostname,
    names: { ...spoken(said, "client_name"), ...info.names }, purposes: info.purposes, demonstration: info.demonstration, registration: info.registration, host: to.host };
  try {
    rule(c.response_type === "vp_token", "response_type");
    rule(typeof c.nonce === "string" && c.nonce && safe.test(c.nonce) && c.nonce.length <= 1024, "nonce");
    rule(c.dcql_query !== undefined && c.scope === undefined, "dcql_query");
    r.query = dcql.check(c.dcql_query);
    if (c.transaction_data !== undefined) throw new Fault("invalid_transaction_data");
    rule(r.query.credentials.every((q) => q.require_cryptographic_holder_binding !== false) || r.state.length >= 22, "state");
    if (r.mode === "direct_post.jwt") {
      jwe.choose(said.jwks);
      jwe.select(said.encrypted_response_enc_values_supported);
    }
    if (!r.query.credentials.some((q) => q.format === "dc+sd-jwt" || q.format === "mso_mdoc")) throw new Fault("vp_formats_not_supported");
  } catch (e) {
    if (!(e instanceof Fault)) throw e;
    return { request: r, chain: t.chain, fault: e };
  }
  return { request: r, chain: t.chain, fault: null };
}

/** Texts by language: name, name#fr … @param {any} o @param {string} name */
function spoken(o, name) {
  const out = /** @type {Record<string, string>} */ ({});
  for (const [k, v] of Object.entries(o)) if (typeof v === "string" && (k === name || k.startsWith(name + "#"))) out[k.slice(name.length + 1).split("-")[0]] = v.slice(0, 500);
  return out;
}

/** What the verifier says of itself, by language; it is worth as much as its certificate. @param {any} list verifier_info */
function inform(list) {
  const out = { names: /** @type {Record<string, string>} */ ({}), purposes: /** @type {Record<string, string>} */ ({}), demonstration: false, registration: "" };
  const texts = (/** @type {any} */ o) => Object.fromEntries(Object.entries(isObject(o) ? o : {}).flatMap(([k, v]) => (typeof v === "string" ? [[k, v.slice(0, 500)]] : [])));
  for (const x of Array.isArray(list) ? list.slice(0, 16) : []) if (isObject(x) && x.format === "jwt" && typeof x.data === "string") out.registration = x.data;
  else if (isObject(x) && isObject(x.data)) {
    Object.assign(out.names, texts(x.data.name));
    Object.assign(out.purposes, texts(x.data.purpose));
    out.demonstration ||= x.data.demonstration === true;
  }
  return out;
}
