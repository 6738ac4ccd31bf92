// X.509 certificates, as far as chains of issuers need it: P-256 and P-384, ECDSA, validity, who may sign for whom.
// Extensions that are critical and not known here refuse the certificate.
import { Fault, b64, hash, hex, must, same, text } from "./bytes.js";

const oid = { p256: "2a8648ce3d030107", p384: "2b81040022", ec: "2a8648ce3d0201", sha256: "2a8648ce3d040302", sha384: "2a8648ce3d040303",
  name: "550403", serial: "550405", organization: "55040a", constraints: "551d13", usage: "551d0f", extended: "551d25", alternative: "551d11", authority: "551d23" };

/** @typedef {{ tag: number, raw: Uint8Array, body: Uint8Array }} Node */

/** @param {Uint8Array} b @param {number} at @returns {[Node, number]} */
function node(b, at) {
  must(at + 2 <= b.length, "unreadable", "DER ends too early");
  let n = b[at + 1], from = at + 2;
  if (n & 128) {
    const count = n & 127;
    must(count >= 1 && count <= 3 && from + count <= b.length, "unreadable", "a DER length");
    n = 0;
    for (let i = 0; i < count; i++) n = n * 256 + b[from++];
    must(n >= 128, "unreadable", "a DER length not in its shortest form");
  }
  must(from + n <= b.length, "unreadable", "DER ends too early");
  return [{ tag: b[at], raw: b.subarray(at, from + n), body: b.subarray(from, from + n) }, from + n];
}

/** @param {Uint8Array} b @returns {Node[]} */
function nodes(b) {
  const out = [];
  for (let at = 0, n; at < b.length; out.push(n)) [n, at] = node(b, at);
  return out;
}

/** @param {Node | undefined} n @param {number} tag */
function inside(n, tag) {
  must(n && n.tag === tag, "unreadable", "DER of another kind");
  return nodes(/** @type {Node} */ (n).body);
}

/** @param {Node} n UTCTime or GeneralizedTime @returns {number} seconds since 1970 */
function when(n) {
  const s = text(n.body), m = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(s);
  must(m && (n.tag === 0x17) === (s.length === 13), "unreadable", "a time");
  const [, y, ...rest] = /** @type {RegExpExecArray} */ (m);
  const [mo, d, h, mi, se] = rest.map(Number), year = y.length === 4 ? +y : +y + (+y < 50 ? 2000 : 1900);
  return Date.UTC(year, mo - 1, d, h, mi, se) / 1000;
}

/** @param {Node} name @returns {Record<string, string>} */
function attributes(name) {
  const out = /** @type {Record<string, string>} */ ({});
  for (const set of inside(name, 0x30)) for (const pair of inside(set, 0x31)) {
    const [id, value] = inside(pair, 0x30);
    if (value && (value.tag === 0x0c || value.tag === 0x13)) out[hex(id.body)] ??= text(value.body);
  }
  return out;
}

export class Certificate {
  /** @param {Uint8Array} der */
  constructor(der) {
    must(der.length <= 16384, "unreadable", "a certificate too long");
    const [whole, end] = node(der, 0);
    must(end === der.length, "unreadable", "more follows a certificate");
    const [tbs, algorithm, signature] = inside(whole, 0x30);
    const parts = inside(tbs, 0x30);
    must(parts[0]?.tag === 0xa0 && parts.length >= 7 && signature?.tag === 0x03, "unreadable", "not an X.509 certificate");
    this.der = der;
    this.tbs = tbs.raw;
    this.algorithm = hex(inside(algorithm, 0x30)[0].body);
    this.signature = signature.body.subarray(1);
    this.issuer = parts[3].raw;
    const [from, until] = inside(parts[4], 0x30);
    this.from = when(from);
    this.until = when(until);
    this.subject = parts[5].raw;
    const names = attributes(parts[5]);
    this.serialNumber = names[oid.serial] ?? "";
    this.commonName = names[oid.name] ?? "";
    this.organization = names[oid.organization] ?? "";
    this.spki = parts[6].raw;
    const key = inside(inside(parts[6], 0x30)[0], 0x30);
    must(hex(key[0].body) === oid.ec && key[1], "unsupported", "the certificate's key is not on a curve");
    this.curve = hex(key[1].body) === oid.p256 ? "P-256" : hex(key[1].body) === oid.p384 ? "P-384" : "";
    this.isCA = false;
    this.maxBelow = Infinity;
    this.maySign = true;
    /** @type {string[]} */
    this.hosts = [];
    /** What the key is for, as identifiers in hexadecimal. @type {string[]} */
    this.uses = [];
    /** @type {Uint8Array | null} */
    this.authorityKey = null;
    for (const e of parts.slice(7)) if (e.tag === 0xa3) for (const x of inside(nodes(e.body)[0], 0x30)) this.extension(inside(x, 0x30));
  }

  /** @param {Node[]} parts */
  extension(parts) {
    const critical = parts.length === 3 && parts[1].body[0] !== 0, value = parts[parts.length - 1];
    must(value?.tag === 0x04, "unreadable", "an extension");
    const [n] = node(value.body, 0);
    switch (hex(parts[0].body)) {
      case oid.constraints: {
        const [ca, below] = inside(n, 0x30);
        this.isCA = ca?.tag === 0x01 && ca.body[0] !== 0;
        if (below) this.maxBelow = below.body[0];
        return;
      }
      case oid.usage: this.maySign = (n.body[1] & 4) !== 0; return; // keyCertSign
      case oid.alternative:
        for (const x of nodes(n.body)) if (x.tag === 0x82) this.hosts.push(text(x.body).toLowerCase());
        return;
      case oid.authority:
        for (const x of nodes(n.body)) if (x.tag === 0x80) this.authorityKey = x.body;
        return;
      case oid.extended: this.uses = nodes(n.body).map((x) => hex(x.body)); return;
    }
    must(!critical, "unsupported", "a critical extension");
  }

  /** @param {number} at seconds */
  validAt(at) {
    return at >= this.from && at <= this.until;
  }

  /** The key for checking signatures. @param {string} [digest] */
  async key() {
    must(this.curve, "unsupported", "a curve");
    return crypto.subtle.importKey("spki", this.spki, { name: "ECDSA", namedCurve: this.curve }, true, ["verify"]);
  }

  /** Tells whether another certificate signed this one, and may. @param {Certificate} above */
  async signedBy(above) {
    if (!same(above.subject, this.issuer) || !above.curve) return false;
    const digest = this.algorithm === oid.sha256 ? "SHA-256" : this.algorithm === oid.sha384 ? "SHA-384" : "";
    if (!digest) return false;
    const raw = rawSignature(this.signature, above.curve === "P-256" ? 32 : 48);
    return crypto.subtle.verify({ name: "ECDSA", hash: digest }, await above.key(), raw, this.tbs);
  }

  get selfNamed() {
    return same(this.issuer, this.subject);
  }

  /** The name of a client by this certificate (OpenID4VP 1.0 §5.9.3). */
  fingerprint() {
    return hash(this.der);
  }

  toString() {
    return b64(this.der);
  }
}

/** Both halves of a DER signature, each in so many bytes. @param {Uint8Array} der @param {number} size */
function rawSignature(der, size) {
  const [whole, end] = node(der, 0), halves = inside(whole, 0x30), out = new Uint8Array(2 * size);
  must(end === der.length && halves.length === 2, "bad_signature", "not an ECDSA signature");
  halves.forEach((h, i) => {
    const b = h.body[0] === 0 ? h.body.subarray(1) : h.body;
    must(h.tag === 0x02 && b.length <= size, "bad_signature", "not an ECDSA signature");
    out.set(b, (i + 1) * size - b.length);
  });
  return out;
}

/**
 * Checks a chain, leaf first and without the anchor, against anchors at a moment. A leaf that signed itself, or may sign
 * others, is nobody's.
 * @param {Certificate[]} chain @param {Certificate[]} anchors @param {number} at seconds
 */
export async function chained(chain, anchors, at) {
  must(chain.length >= 1 && chain.length <= 6, "untrusted_issuer", "no certificate or too many");
  must(!chain[0].isCA && !chain[0].selfNamed, "untrusted_issuer", "the certificate signed itself or others");
  for (let i = 0; i < chain.length; i++) {
    const c = chain[i];
    must(c.validAt(at), "untrusted_issuer", "a certificate is not of this time");
    for (const a of anchors) if (a.isCA && a.maySign && i <= a.maxBelow && a.validAt(at) && (await c.signedBy(a))) return;
    const next = chain[i + 1];
    if (!next || !next.isCA || !next.maySign || i > next.maxBelow || !(await c.signedBy(next))) break;
  }
  throw new Fault("untrusted_issuer", "nobody known signed the certificate");
}
