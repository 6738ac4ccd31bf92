// Base45 (RFC 9285): bytes in the characters of a QR code's alphanumeric mode.
import { must } from "./bytes.js";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/** @param {string} s @param {string} [code] */
export function decode(s, code = "unreadable") {
  must(s.length % 3 !== 1, code, "a length of Base45");
  const out = [];
  for (let i = 0; i < s.length; i += 3) {
    const part = s.slice(i, i + 3);
    let n = 0, scale = 1;
    for (const c of part) {
      const d = alphabet.indexOf(c);
      must(d >= 0, code, "a character outside Base45");
      n += d * scale;
      scale *= 45;
    }
    must(n < (part.length === 2 ? 1 << 8 : 1 << 16), code, "a group beyond its bytes");
    if (part.length === 3) out.push(n >> 8);
    out.push(n & 255);
  }
  return Uint8Array.from(out);
}

/** @param {Uint8Array} b */
export function encode(b) {
  let s = "";
  for (let i = 0; i < b.length; i += 2) {
    const two = i + 1 < b.length, n = two ? b[i] * 256 + b[i + 1] : b[i];
    s += alphabet[n % 45] + alphabet[Math.floor(n / 45) % 45];
    if (two) s += alphabet[Math.floor(n / 2025)];
  }
  return s;
}
