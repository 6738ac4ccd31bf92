// JSON from strangers: bounded, not too deep, and no name twice, since readers differ on which of two they take.
import { Fault, must, text } from "./bytes.js";

const maxDepth = 32;

/**
 * Reads JSON strictly.
 * @param {string | Uint8Array} source @param {number} [max] bytes or characters @param {string} [code]
 * @returns {any}
 */
export function parse(source, max = 1 << 18, code = "unreadable") {
  must(source.length <= max, code, "too long");
  const s = typeof source === "string" ? source : text(source, code);
  let v;
  try {
    v = JSON.parse(s);
  } catch {
    throw new Fault(code, "not JSON");
  }
  names(s, code);
  return v;
}

/** Reads JSON that is an object. @param {string | Uint8Array} source @param {number} [max] @param {string} [code] @returns {Record<string, any>} */
export function object(source, max, code = "unreadable") {
  const v = parse(source, max, code);
  must(isObject(v), code, "not an object");
  return v;
}

/** @param {unknown} v @returns {v is Record<string, any>} */
export const isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);

/** Walks over well-formed JSON and refuses a name that stands twice in an object. @param {string} s @param {string} code */
function names(s, code) {
  /** @type {(Set<string> | null)[]} */
  const open = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;
  let last = "";
  for (let m; (m = token.exec(s));) {
    const t = m[0];
    if (t === "{") open.push(new Set());
    else if (t === "[") open.push(null);
    else if (t === "}" || t === "]") open.pop();
    else if (t === ":") {
      const seen = open[open.length - 1], name = JSON.parse(last);
      must(seen && !seen.has(name), code, "a name stands twice");
      seen?.add(name);
    }
    must(open.length <= maxDepth, code, "too deep");
    last = t;
  }
}
