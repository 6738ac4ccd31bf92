// CBOR (RFC 8949), as far as documents need it: definite lengths, no name twice in a map, whole numbers within what a
// program counts exactly. Maps become Map; a byte string within tag 24 keeps the bytes that somebody digested.
import { Fault, concat, hex, must, same, text, utf8 } from "./bytes.js";

const maxDepth = 16, maxItems = 4096;

/** A tagged value. raw is the whole of it as it came, tag included. */
export class Tagged {
  /** @param {number} tag @param {any} value @param {Uint8Array} [raw] */
  constructor(tag, value, raw) {
    this.tag = tag;
    this.value = value;
    this.raw = raw;
  }
}

/** CBOR that is already written, for being put into other CBOR. */
export class Raw {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
}

class Reader {
  /** @param {Uint8Array} b @param {string} code */
  constructor(b, code) {
    this.b = b;
    this.code = code;
    this.at = 0;
  }

  /** @param {string} why @returns {never} */
  fail(why) {
    throw new Fault(this.code, "CBOR: " + why);
  }

  /** @param {number} n */
  take(n) {
    if (n > this.b.length - this.at) this.fail("it ends too early");
    return this.b.subarray(this.at, (this.at += n));
  }

  /** The number after the first five bits, in its shortest form alone. @param {number} low */
  count(low) {
    if (low < 24) return low;
    if (low > 27) this.fail("an indefinite length");
    const b = this.take(1 << (low - 24));
    let n = 0;
    for (const x of b) n = n * 256 + x;
    if (n > Number.MAX_SAFE_INTEGER) this.fail("a number too large");
    if (n < (low === 24 ? 24 : 2 ** (8 * (1 << (low - 25))))) this.fail("a number not in its shortest form");
    return n;
  }

  /** @param {number} depth @returns {any} */
  item(depth = 0) {
    if (depth > maxDepth) this.fail("too deep");
    const start = this.at, first = this.take(1)[0], major = first >> 5, low = first & 31;
    if (major === 7) return this.simple(low);
    const n = this.count(low);
    switch (major) {
      case 0: return n;
      case 1: return -1 - n;
      case 2: return this.take(n);
      case 3: return text(this.take(n), this.code);
      case 6: {
        const value = this.item(depth + 1);
        return new Tagged(n, value, this.b.subarray(start, this.at));
      }
    }
    if (n > maxItems) this.fail("too many items");
    if (major === 4) {
      const list = [];
      for (let i = 0; i < n; i++) list.push(this.item(depth + 1));
      return list;
    }
    const map = new Map();
    for (let i = 0; i < n; i++) {
      const k = this.item(depth + 1);
      if (typeof k !== "string" && typeof k !== "number") this.fail("a name that is neither text nor number");
      if (map.has(k)) this.fail("a name stands twice");
      map.set(k, this.item(depth + 1));
    }
    return map;
  }

  /** @param {number} low */
  simple(low) {
    if (low === 20 || low === 21) return low === 21;
    if (low === 22) return null;
    if (low === 26 || low === 27) {
      const b = this.take(low === 26 ? 4 : 8), v = new DataView(b.buffer, b.byteOffset, b.length);
      return low === 26 ? v.getFloat32(0) : v.getFloat64(0);
    }
    if (low === 25) {
      const [a, c] = this.take(2), e = (a >> 2) & 31, f = ((a & 3) << 8) + c, sign = a & 128 ? -1 : 1;
      return sign * (e === 0 ? f * 2 ** -24 : e === 31 ? (f ? NaN : Infinity) : (1 + f / 1024) * 2 ** (e - 15));
    }
    return this.fail("a simple value without meaning");
  }
}

/** Reads one item that fills the bytes. @param {Uint8Array} b @param {string} [code] @returns {any} */
export function decode(b, code = "unreadable") {
  const r = new Reader(b, code), v = r.item();
  if (r.at !== b.length) r.fail("more follows");
  return v;
}

/**
 * Cuts a map or an array into its members as they were written, for what was signed or is to be passed on unchanged.
 * @param {Uint8Array} b @param {string} [code] @returns {[any, Uint8Array][]} names (or places) and bytes
 */
export function slices(b, code = "unreadable") {
  const r = new Reader(b, code), first = r.take(1)[0], major = first >> 5, n = r.count(first & 31);
  if ((major !== 4 && major !== 5) || n > maxItems) r.fail("neither a map nor an array");
  /** @type {[any, Uint8Array][]} */
  const out = [];
  for (let i = 0; i < n; i++) {
    const name = major === 5 ? r.item() : i, from = r.at;
    r.item();
    out.push([name, b.subarray(from, r.at)]);
  }
  if (r.at !== b.length) r.fail("more follows");
  return out;
}

/** @param {number} major @param {number} n */
function head(major, n) {
  const m = major << 5;
  if (n < 24) return Uint8Array.of(m | n);
  if (n < 1 << 8) return Uint8Array.of(m | 24, n);
  if (n < 1 << 16) return Uint8Array.of(m | 25, n >> 8, n & 255);
  const out = new Uint8Array(n < 2 ** 32 ? 5 : 9), v = new DataView(out.buffer);
  out[0] = m | (n < 2 ** 32 ? 26 : 27);
  if (n < 2 ** 32) v.setUint32(1, n);
  else v.setBigUint64(1, BigInt(n));
  return out;
}

/** Writes a value in the deterministic encoding (RFC 8949 §4.2). @param {any} v @returns {Uint8Array} */
export function encode(v) {
  if (v === null) return Uint8Array.of(0xf6);
  if (typeof v === "boolean") return Uint8Array.of(v ? 0xf5 : 0xf4);
  if (typeof v === "number") {
    must(Number.isSafeInteger(v), "internal", "only whole numbers are written");
    return v < 0 ? head(1, -1 - v) : head(0, v);
  }
  if (typeof v === "string") {
    const b = utf8(v);
    return concat(head(3, b.length), b);
  }
  if (v instanceof Raw) return v.bytes;
  if (v instanceof Uint8Array) return concat(head(2, v.length), v);
  if (v instanceof Tagged) return concat(head(6, v.tag), encode(v.value));
  if (Array.isArray(v)) return concat(head(4, v.length), ...v.map(encode));
  const members = [...(v instanceof Map ? v : Object.entries(v))].map(([k, x]) => [encode(k), encode(x)]);
  members.sort(([a], [b]) => (hex(a) < hex(b) ? -1 : 1));
  return concat(head(5, members.length), ...members.flat());
}

/** Tells whether bytes are the deterministic encoding of what they say. @param {Uint8Array} b @param {any} v */
export const isCanonical = (b, v) => same(b, encode(v));
