// Bytes and texts: what every format here is made of.

/**
 * A failure with a code, by which the reader is told in their language what happened. The message is for who looks for
 * the cause, and is not shown.
 */
export class Fault extends Error {
  /** @param {string} code @param {string} [message] @param {Record<string, string>} [more] */
  constructor(code, message = "", more = {}) {
    super(code + (message && ": " + message));
    this.name = "Fault";
    this.code = code;
    this.more = more;
  }
}

/** Refuses with a code unless something holds. @param {unknown} holds @param {string} code @param {string} [message] */
export function must(holds, code, message) {
  if (!holds) throw new Fault(code, message);
}

const enc = new TextEncoder();
const dec = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param {string} s */
export const utf8 = (s) => enc.encode(s);

/** Reads UTF-8, and nothing that is not. @param {Uint8Array} b @param {string} [code] */
export function text(b, code = "unreadable") {
  try {
    return dec.decode(b);
  } catch {
    throw new Fault(code, "not UTF-8");
  }
}

/** @param {...Uint8Array} parts */
export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

/** @param {Uint8Array} b */
export const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

/** @param {Uint8Array} b */
export function b64(b) {
  let s = "";
  for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
  return btoa(s);
}

/** @param {string} s @param {string} [code] */
export function unb64(s, code = "unreadable") {
  try {
    const b = Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
    if (b64(b) === s) return b;
  } catch { /* told below */ }
  throw new Fault(code, "not base64");
}

/** @param {Uint8Array} b */
export const b64url = (b) => b64(b).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Reads base64url in its one form: what is compared or hashed by its text has no second one. @param {string} s @param {string} [code] */
export function unb64url(s, code = "unreadable") {
  must(typeof s === "string" && /^[A-Za-z0-9_-]*$/.test(s) && s.length % 4 !== 1, code, "not base64url");
  return unb64(s.replace(/-/g, "+").replace(/_/g, "/") + "===".slice((s.length + 3) % 4), code);
}

/** @param {number} n */
export const random = (n) => crypto.getRandomValues(new Uint8Array(n));

/** 256 random bits as a text that may stand in an address. */
export const nonce = () => b64url(random(32));

/** @param {Uint8Array} b @param {string} [name] */
export const hash = async (b, name = "SHA-256") => new Uint8Array(await crypto.subtle.digest(name, b));

/**
 * Unpacks zlib up to a bound: a few bytes can stand for gigabytes.
 * @param {Uint8Array} b @param {number} max @param {string} [code]
 */
export async function inflate(b, max, code = "unreadable") {
  const z = new DecompressionStream("deflate");
  const w = z.writable.getWriter();
  const fed = w.write(b).then(() => w.close());
  fed.catch(() => {}); // the reader below meets the same failure
  const r = z.readable.getReader();
  const parts = [];
  let n = 0;
  try {
    for (;;) {
      const { done, value } = await r.read();
      if (done) break;
      n += value.length;
      if (n > max) {
        await r.cancel();
        throw new Fault(code, "it unpacks to more than " + max + " bytes");
      }
      parts.push(value);
    }
    await fed;
  } catch (e) {
    throw e instanceof Fault ? e : new Fault(code, "not zlib");
  }
  return concat(...parts);
}
