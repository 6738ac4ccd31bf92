// Showing documents (OpenID4VP 1.0): who asks, for what, and an answer that only they can read.
import { Fault, b64url, must, nonce as randomText, random, unb64url, utf8 } from "./core/bytes.js";
import * as dcql from "./core/dcql.js";
import * as jose from "./core/jose.js";
import * as jwe from "./core/jwe.js";
import * as mdoc from "./core/mdoc.js";
import * as asked from "./core/request.js";
import * as sdjwt from "./core/sdjwt.js";
import { registered } from "./core/trust.js";
import * as documents from "./documents.js";
import * as keys from "./keys.js";
import * as net from "./net.js";
import { consult, now } from "./state.js";
import * as store from "./store.js";

const type = asked.type;

/** @typedef {asked.Request & { known: boolean }} Request known says that somebody whom this installation trusts vouches for who asks */

/**
 * Gets and checks the request that a link leads to. A fault with an answer was proved to be the verifier's own: it is told.
 * @param {URLSearchParams} link @returns {Promise<Request>}
 */
export async function open(link) {
  const clientID = link.get("client_id") ?? "", uri = link.get("request_uri"), method = link.get("request_uri_method") ?? "get";
  must(clientID && clientID.length <= 2048 && /^(x509_hash|x509_san_dns):./.test(clientID), "verifier", "the kind of name is not accepted");
  must(["get", "post"].includes(method) && !(uri && link.get("request")), "invalid_request", "request_uri");
  let text = link.get("request") ?? "", sent = "";
  if (uri) {
    sent = method === "post" ? randomText() : "";
    const o = sent ? { method: "POST", headers: { Accept: "application/" + type, ...net.formType }, body: net.form({ wallet_nonce: sent, wallet_metadata: JSON.stringify(abilities) }) } :
      { headers: { Accept: "application/" + type } };
    const a = await net.call(uri, { ...o, max: 1 << 18 });
    must(a.ok, "request_gone", "status " + a.status);
    must(a.type === "application/" + type, "invalid_request", "media type");
    text = net.body(a);
  }
  return check(text, clientID, sent);
}

const abilities = {
  vp_formats_supported: { "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"] }, mso_mdoc: { issuerauth_alg_values: [-7], deviceauth_alg_values: [-7] } },
  client_id_prefixes_supported: ["x509_hash", "x509_san_dns"], request_object_signing_alg_values_supported: ["ES256"], response_types_supported: ["vp_token"], response_modes_supported: ["direct_post", "direct_post.jwt"],
};

/** @param {string} text @param {string} clientID @param {string} sent @returns {Promise<Request>} */
async function check(text, clientID, sent) {
  const a = await asked.read(text, clientID, sent, now()), r = { ...a.request, known: await known(a) };
  if (!a.fault) return r;
  await refuse(r, ["invalid_transaction_data", "vp_formats_not_supported"].includes(a.fault.code) ? a.fault.code : "invalid_request").catch(() => {});
  throw a.fault;
}

/** Tells whether who asks is registered with this installation. @param {Awaited<ReturnType<typeof asked.read>>} a */
async function known(a) {
  try {
    await registered(a.chain, a.request.registration, now(), consult);
    return true;
  } catch (e) {
    if (e instanceof Fault) return false;
    throw e;
  }
}

/** @typedef {{ question: dcql.Question, candidates: { document: documents.Document, standing: documents.Standing, paths: dcql.Path[] }[] }} Choice */

/** Finds what could be shown. Documents that are not valid are left out. @param {Request} r @returns {Promise<Choice[]>} */
export async function choices(r) {
  const docs = await documents.all();
  await documents.refresh(docs);
  const held = [];
  for (const d of docs) {
    const standing = await documents.standing(d);
    if (documents.showable(standing)) held.push({ document: d, standing, format: d.format, type: d.type, claims: d.claims, authorityKeys: d.authorityKeys });
  }
  return dcql.evaluate(r.query, held).map(({ question, matches }) => ({ question, candidates: matches.map((m) => ({ document: held[m.held].document, standing: held[m.held].standing, paths: m.paths })) }));
}

/** Everything that an answer shows of a document: what is asked for, and what its issuer did not allow to be hidden. @param {documents.Document} d @param {dcql.Path[]} paths */
export async function shown(d, paths) {
  if (d.format === "mso_mdoc") return paths.map((p) => ({ ...documents.field(d, p, d.claims[String(p[0])][String(p[1])]), always: false }));
  const t = await sdjwt.parse(sdjwt.choose(await sdjwt.parse(d.copies[0].text), paths));
  const out = [];
  for (const f of documents.fields({ ...d, claims: t.claims })) {
    const asked = paths.some((p) => p.length === 1 && p[0] === f.path[0]), below = paths.filter((p) => p.length > 1 && p[0] === f.path[0]);
    if (!asked && below.length) for (const p of below) out.push({ ...documents.field(d, p, dcql.locate(p, t.claims)[0].value), always: false });
    else out.push({ ...f, always: !asked });
  }
  return out;
}

/** One presentation by the copy that was used least. @param {Request} r @param {Choice["candidates"][number]} c @param {dcql.Question} q */
async function presentation(r, c, q) {
  const d = /** @type {documents.Document} */ (await documents.get(c.document.id));
  must(d && documents.showable(await documents.standing(d)), "not_valid");
  const copy = documents.nextCopy(d), key = await keys.get(copy.key);
  must(key, "key_lost");
  copy.used++;
  await store.change({ store: "documents", put: d }); // before it is sent: a copy is never taken for unused
  if (d.format === "mso_mdoc") {
    const to = r.mode === "direct_post.jwt" ? await jose.thumbprint(jwe.choose(r.metadata.jwks)) : null;
    const session = await mdoc.transcript(r.clientID, r.nonce, to, r.uri);
    return b64url(await mdoc.present(await mdoc.parse(unb64url(copy.text)), c.paths, key.privateKey, session));
  }
  const chosen = sdjwt.choose(await sdjwt.parse(copy.text), c.paths);
  return q.require_cryptographic_holder_binding === false ? chosen : sdjwt.present(chosen, key.privateKey, { aud: r.clientID, nonce: r.nonce, now: now() });
}

/**
 * Sends what the holder chose. Returns where they go on, if the verifier says so.
 * @param {Request} r @param {{ question: dcql.Question, candidate: Choice["candidates"][number] }[]} chosen @returns {Promise<string>}
 */
export async function send(r, chosen) {
  const tokens = /** @type {Record<string, string[]>} */ ({});
  const fields = [];
  for (const c of chosen) {
    (tokens[c.question.id] ??= []).push(await presentation(r, c.candidate, c.question));
    fields.push({ document: c.candidate.document.id, names: c.candidate.document.names, fields: (await shown(c.candidate.document, c.candidate.paths)).map((f) => ({ path: f.path, names: f.names })) });
  }
  const entry = { id: b64url(random(16)), at: now(), who: r.name, names: r.names, known: r.known, host: r.host, shown: fields, outcome: "unknown" };
  await store.change({ store: "history", put: entry });
  const answer = await post(r, { vp_token: tokens });
  await store.change({ store: "history", put: { ...entry, outcome: answer.ok ? "sent" : "refused" } });
  must(answer.ok, "verifier_refused", answer.why);
  return answer.to;
}

/** Tells the verifier that nothing is shown, and no more than that. @param {Request} r @param {string} [code] */
export async function refuse(r, code = "access_denied") {
  await store.change({ store: "history", put: { id: b64url(random(16)), at: now(), who: r.name, names: r.names, known: r.known, host: r.host, shown: [], outcome: "declined" } });
  return (await post(r, { error: code })).to;
}

/** @param {Request} r @param {any} payload */
async function post(r, payload) {
  if (r.state) payload.state = r.state;
  let fields;
  if (r.mode === "direct_post.jwt") {
    try {
      fields = { response: await jwe.seal(utf8(JSON.stringify(payload)), jwe.choose(r.metadata.jwks), jwe.select(r.metadata.encrypted_response_enc_values_supported)) };
    } catch (e) {
      if (!payload.error) throw e;
    }
  }
  fields ??= { ...payload, ...(payload.vp_token && { vp_token: JSON.stringify(payload.vp_token) }) };
  const a = await net.call(r.uri, { method: "POST", headers: { Accept: "application/json", ...net.formType }, body: net.form(fields), max: 1 << 16 });
  let to = "";
  if (a.ok && a.body.length) {
    const uri = net.json(a).redirect_uri;
    if (uri !== undefined) {
      const [page] = String(uri).split("#");
      net.address(page);
      to = String(uri);
    }
  }
  return { ok: a.ok, to, why: a.ok ? "" : net.refusal(a).error + " " + a.status };
}
