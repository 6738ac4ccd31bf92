// The code on paper: "DW1:" and Base45 of zlib of a signed CBOR Web Token. It is checked without a network.
import { inflate, must } from "./bytes.js";
import * as base45 from "./base45.js";
import { Tagged, decode, isCanonical } from "./cbor.js";
import * as cose from "./cose.js";

const prefix = "DW1:", type = "application/dw1+cwt", maxText = 2048, maxMessage = 16 << 10;

/**
 * Takes the code out of what was scanned or pasted: the code itself, or an address whose fragment carries it. The host
 * of such an address is not asked anything.
 * @param {string} s
 */
export function find(s) {
  s = s.replace(/^[\s\uFEFF]+|[\r\n\t]+$/g, "");
  const at = s.indexOf("#"), address = /^https?:/i.test(s) && at >= 0;
  if (address) s = s.slice(at + 1);
  if (address || /^DW1%3A/i.test(s)) {
    try {
      s = decodeURIComponent(s); // the code itself is never decoded: a percent sign is a character of Base45 too
    } catch { /* it was not encoded */ }
  }
  must(s.startsWith(prefix), "unsupported", "not such a code");
  must(s.length <= maxText, "unreadable", "too long");
  return s;
}

const day = (/** @type {number} */ n) => new Date(n * 86400000).toISOString().slice(0, 10);

/**
 * Reads a code and checks who signed it, not its time nor its status.
 * @param {string} code @param {import("./trust.js").TrustList} trust @param {number} now
 */
export async function open(code, trust, now) {
  const packed = base45.decode(code.slice(prefix.length));
  const b = await inflate(packed, maxMessage);
  must(b[0] === 0xd2, "unreadable", "not a tagged COSE_Sign1");
  const msg = cose.parse(b), kid = msg.protected.get(4);
  must(msg.protected.get(16) === type, "unsupported", "another type");
  must(msg.protected.size === 3 && msg.unprotected.size === 0 && kid instanceof Uint8Array && kid.length === 8 && msg.payload, "unreadable", "headers");
  const c = decode(/** @type {Uint8Array} */ (msg.payload));
  must(c instanceof Map && isCanonical(/** @type {Uint8Array} */ (msg.payload), c), "unreadable", "claims not in their one encoding");
  const set = c.get(-65537), st = c.get(65535);
  must([...c.keys()].every((k) => [1, 4, 5, 6, 65535, -65537].includes(k)) && typeof c.get(1) === "string" && Number.isSafeInteger(c.get(6)) &&
    set instanceof Map && set.size === 3 && typeof set.get(1) === "string" && typeof set.get(2) === "string" && set.get(3) instanceof Map && set.get(3).size <= 64, "unreadable", "claims");
  for (const k of [4, 5]) must(!c.has(k) || Number.isSafeInteger(c.get(k)), "unreadable", "a time");
  const claims = [...set.get(3)].map(([name, v]) => {
    if (v instanceof Tagged && v.tag === 100 && Number.isSafeInteger(v.value) && Math.abs(v.value) < 3e6) v = day(v.value);
    must(typeof name === "string" && (typeof v === "string" || Number.isSafeInteger(v)), "unreadable", "a claim");
    return { name, value: v };
  });
  const list = st instanceof Map ? st.get("status_list") : undefined;
  must(!c.has(65535) || (list instanceof Map && Number.isSafeInteger(list.get("idx")) && typeof list.get("uri") === "string"), "unreadable", "status");
  const certificate = await trust.byKeyID(kid);
  const issuer = await trust.issuer([certificate], set.get(1), now);
  must(certificate.curve === "P-256", "unsupported", "a curve");
  await msg.verify(await certificate.key());
  return { operator: c.get(1), type: set.get(1), number: set.get(2), claims, issued: c.get(6), from: c.get(5) ?? c.get(6), until: c.get(4) ?? 0, issuer,
    status: list ? { uri: list.get("uri"), idx: list.get("idx") } : null };
}
