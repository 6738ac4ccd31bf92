// Documents of ISO/IEC 18013-5 (mdoc): reading with every digest checked, and the answer to a request.
import { Fault, b64url, hash, must, same } from "./bytes.js";
import { Raw, Tagged, decode, encode, slices } from "./cbor.js";
import * as cose from "./cose.js";
import { Certificate } from "./der.js";

/** @typedef {{ ns: string, name: string, value: any, raw: Uint8Array }} Element */

/** @param {any} t */
function embedded(t) {
  must(t instanceof Tagged && t.tag === 24 && t.value instanceof Uint8Array, "unreadable", "no embedded CBOR");
  return /** @type {{ value: Uint8Array, raw: Uint8Array }} */ (t);
}

/** @param {any} m @param {any} k @param {string} kind */
function member(m, k, kind) {
  const v = m instanceof Map ? m.get(k) : undefined;
  must(kind === "map" ? v instanceof Map : kind === "bytes" ? v instanceof Uint8Array : typeof v === kind, "unreadable", "mdoc: " + k);
  return v;
}

/** @param {any} m @param {string} k @returns {number} seconds */
function moment(m, k) {
  const v = m.get(k), n = v instanceof Tagged && v.tag === 0 && typeof v.value === "string" ? Date.parse(v.value) : NaN;
  must(!Number.isNaN(n), "unreadable", "mdoc: " + k);
  return Math.floor(n / 1000);
}

/** A value as JSON has it (RFC 8949 §6.1), which is what queries compare with. @param {any} v @returns {any} */
export function plain(v) {
  if (v instanceof Tagged) return plain(v.value);
  if (v instanceof Uint8Array) return b64url(v);
  if (Array.isArray(v)) return v.map(plain);
  if (v instanceof Map) return Object.fromEntries([...v].map(([k, x]) => [String(k), plain(x)]));
  return typeof v === "number" && !Number.isFinite(v) ? null : v;
}

/** Reads an IssuerSigned structure and checks its digests. It says nothing of who signed it. @param {Uint8Array} b */
export async function parse(b) {
  must(b.length <= 1 << 18, "unreadable", "too long");
  const top = new Map(slices(b));
  const authRaw = /** @type {Uint8Array} */ (top.get("issuerAuth"));
  must(authRaw, "unreadable", "mdoc: issuerAuth");
  const auth = cose.parse(authRaw);
  const x5 = auth.unprotected.get(33) ?? auth.protected.get(33), list = x5 instanceof Uint8Array ? [x5] : x5;
  must(Array.isArray(list) && list.length >= 1 && list.length <= 6 && list.every((c) => c instanceof Uint8Array), "unreadable", "mdoc: x5chain");
  const chain = list.map((/** @type {Uint8Array} */ c) => new Certificate(c));
  must(auth.payload, "unreadable", "mdoc: no payload");
  const mso = decode(embedded(decode(/** @type {Uint8Array} */ (auth.payload))).value);
  must(mso instanceof Map && mso.get("version") === "1.0" && mso.get("digestAlgorithm") === "SHA-256", "unsupported", "mdoc: version or digests");
  const digests = member(mso, "valueDigests", "map"), docType = member(mso, "docType", "string");
  const device = member(member(mso, "deviceKeyInfo", "map"), "deviceKey", "map"), validity = member(mso, "validityInfo", "map");
  must(device.get(1) === 2 && device.get(-1) === 1 && device.get(-4) === undefined, "unsupported", "mdoc: device key");
  const jwk = { kty: "EC", crv: "P-256", x: b64url(member(device, -2, "bytes")), y: b64url(member(device, -3, "bytes")) };
  /** @type {Element[]} */
  const elements = [];
  const claims = /** @type {Record<string, Record<string, any>>} */ ({});
  const spaces = top.get("nameSpaces");
  for (const [ns, items] of spaces ? slices(spaces) : []) {
    must(typeof ns === "string" && ns !== "__proto__", "unreadable", "mdoc: name space");
    claims[ns] = {};
    const ids = new Set();
    for (const [, raw] of slices(items)) {
      const item = decode(embedded(decode(raw)).value);
      must(item instanceof Map && item.has("elementValue"), "unreadable", "mdoc: an element");
      const id = item.get("digestID"), name = member(item, "elementIdentifier", "string"), wanted = digests.get(ns)?.get(id);
      must(!ids.has(id) && !Object.hasOwn(claims[ns], name) && member(item, "random", "bytes").length >= 16, "unreadable", "mdoc: an element");
      ids.add(id);
      must(wanted instanceof Uint8Array && same(wanted, await hash(raw)), "bad_signature", "mdoc: a digest");
      Object.defineProperty(claims[ns], name, { value: plain(item.get("elementValue")), enumerable: true });
      elements.push({ ns, name, value: item.get("elementValue"), raw });
    }
  }
  const status = mso.get("status") instanceof Map ? mso.get("status").get("status_list") : undefined;
  return { auth, authRaw, chain, docType, jwk, elements, claims, signed: moment(validity, "signed"), from: moment(validity, "validFrom"), until: moment(validity, "validUntil"),
    status: status instanceof Map ? { idx: status.get("idx"), uri: status.get("uri") } : null, otherStatus: mso.has("status") && !status };
}

/** The session of a request that came by redirect (OpenID4VP 1.0 appendix B.2.6.1). @param {string} clientID @param {string} nonce @param {Uint8Array | null} key @param {string} responseURI */
export async function transcript(clientID, nonce, key, responseURI) {
  return encode([null, null, ["OpenID4VPHandover", await hash(encode([clientID, nonce, key, responseURI]))]]);
}

/**
 * Makes the DeviceResponse that shows the chosen elements and no other, signed for one session.
 * @param {Awaited<ReturnType<typeof parse>>} doc @param {import("./dcql.js").Path[]} places @param {CryptoKey} key @param {Uint8Array} session
 */
export async function present(doc, places, key, session) {
  const spaces = new Map();
  for (const p of places) if (!doc.elements.some((e) => e.ns === p[0] && e.name === p[1])) throw new Fault("query_not_met", "an element that is absent");
  for (const e of doc.elements) {
    if (!places.some((p) => p[0] === e.ns && p[1] === e.name)) continue;
    if (!spaces.has(e.ns)) spaces.set(e.ns, []);
    spaces.get(e.ns).push(new Raw(e.raw));
  }
  const nothing = new Tagged(24, encode(new Map()));
  const payload = encode(new Tagged(24, encode(["DeviceAuthentication", new Raw(session), doc.docType, nothing])));
  const signature = await cose.signDetached(key, payload);
  const signed = spaces.size ? { nameSpaces: spaces, issuerAuth: new Raw(doc.authRaw) } : { issuerAuth: new Raw(doc.authRaw) };
  return encode({ version: "1.0", status: 0, documents: [{ docType: doc.docType, issuerSigned: signed,
    deviceSigned: { nameSpaces: nothing, deviceAuth: { deviceSignature: signature } } }] });
}

