// The signed list of who may issue what. Whoever keeps it can check documents without asking anybody.
import { Fault, b64, b64url, hash, hex, must, unb64 } from "./bytes.js";
import { Certificate, chained } from "./der.js";
import { isObject } from "./json.js";
import * as jose from "./jose.js";

/** @typedef {{ id: string, name: Record<string, string>, types: string[], roots: Certificate[], certificates: Certificate[], from: number, until: number, demonstration: boolean }} Issuer */

export class TrustList {
  /** @param {any} c claims @param {Issuer[]} issuers */
  constructor(c, issuers) {
    this.operator = String(c.iss ?? "");
    this.issued = /** @type {number} */ (c.iat);
    this.expires = /** @type {number} */ (c.exp);
    this.ttl = Number.isFinite(c.ttl) && c.ttl > 0 ? c.ttl : 3600;
    this.issuers = issuers;
  }

  /** Tells whether the list can be relied on. @param {number} now */
  fresh(now) {
    return now < this.expires;
  }

  /** All anchors that stand above an issuer. */
  roots() {
    return [...new Map(this.issuers.flatMap((i) => i.roots).map((c) => [b64(c.der), c])).values()];
  }

  /**
   * Finds who signed under a chain, leaf first, and checks that they may issue a type at a moment.
   * @param {Certificate[]} chain @param {string} type @param {number} at seconds @returns {Promise<Issuer>}
   */
  async issuer(chain, type, at) {
    must(chain.length > 0, "untrusted_issuer", "no certificate");
    const x = this.issuers.find((i) => i.id === chain[0].serialNumber);
    if (!x) throw new Fault("untrusted_issuer", "nobody of that name");
    must(x.types.includes(type), "untrusted_issuer", "not for this type");
    must((!x.from || at >= x.from) && (!x.until || at < x.until), "untrusted_issuer", "not at this time");
    await chained(chain, x.roots, at);
    return x;
  }

  /** @param {Certificate[]} chain @param {string} type @param {number} at */
  async key(chain, type, at) {
    await this.issuer(chain, type, at);
    return chain[0].key();
  }

  /** Finds a certificate by the beginning of its SHA-256. @param {Uint8Array} id @returns {Promise<Certificate>} */
  async byKeyID(id) {
    for (const c of this.issuers.flatMap((i) => i.certificates)) if (hex((await hash(c.der)).subarray(0, 8)) === hex(id)) return c;
    throw new Fault("untrusted_issuer", "no key is called so");
  }
}

/** Who asks for documents has a certificate for that (ISO/IEC 18013-5 annex B). */
const reader = "28818c5d050106";

/**
 * Checks that who asks under a chain is registered: somebody on the list for it signed that for this very certificate, for
 * now, and the certificate is for asking. Find is how the signer is looked for on the list.
 * @param {Certificate[]} chain @param {string} token @param {number} now
 * @param {(look: (l: TrustList) => Promise<Issuer>) => Promise<{ answer: Issuer, held: { list: TrustList } }>} find
 */
export async function registered(chain, token, now, find) {
  const t = jose.parse(token, ["verifier-registration+jwt"], "untrusted_issuer"), c = t.claims, leaf = chain[0];
  must(leaf.uses.includes(reader) && c.iat <= now + 60 && c.exp > now, "untrusted_issuer", "not for asking, or not at this time");
  must(c.sub && c.sub === leaf.serialNumber && c.cnf?.["x5t#S256"] === b64url(await leaf.fingerprint()), "untrusted_issuer", "registered is somebody else");
  const { answer, held } = await find((l) => l.issuer(t.chain, "verifiers", now));
  must(held.list.fresh(now) && held.list.operator === c.iss, "untrusted_issuer", "the list");
  await t.verify(await t.chain[0].key());
  await chained(chain, answer.roots, now);
}

/** @param {any} list @param {number} max */
function certificates(list, max) {
  must(Array.isArray(list) && list.length <= max, "trust_list", "certificates");
  return list.map((/** @type {any} */ c) => new Certificate(unb64(String(c), "trust_list")));
}

/**
 * Verifies a list that somebody under one of the anchors signed for an operator. One that is past its end is returned
 * too: it can be shown with its age, but proves nothing (see fresh).
 * @param {string} token @param {string} operator @param {Certificate[]} anchors @param {number} now
 */
export async function read(token, operator, anchors, now) {
  const t = jose.parse(token, ["issuer-list+jwt"], "trust_list", ["ES256", "ES384"]), c = t.claims;
  must(Number.isFinite(c.iat) && Number.isFinite(c.exp) && c.iat <= now + 300, "trust_list", "dates");
  await chained(t.chain, anchors, c.iat);
  await t.verify(await t.chain[0].key());
  must(!operator || c.iss === operator, "trust_list", "another operator's");
  must(Array.isArray(c.issuers) && c.issuers.length <= 5000, "trust_list", "issuers");
  const ids = new Set();
  const issuers = c.issuers.map((/** @type {any} */ x) => {
    must(isObject(x) && typeof x.id === "string" && x.id && !ids.has(x.id) && isObject(x.name) && Array.isArray(x.types) && x.types.length <= 500, "trust_list", "an issuer");
    ids.add(x.id);
    const roots = certificates(x.roots, 8), own = certificates(x.certificates ?? [], 64);
    must(roots.length > 0 && own.every((k) => k.serialNumber === x.id), "trust_list", "an issuer's certificates");
    return { id: x.id, name: x.name, types: x.types, roots, certificates: own, from: Number(x.from ?? 0), until: Number(x.until ?? 0), demonstration: x.demonstration === true };
  });
  return new TrustList(c, issuers);
}
