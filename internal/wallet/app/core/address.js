// Addresses from strangers.
import { Fault, must } from "./bytes.js";

/** Refuses an address that may not be called. @param {unknown} s @returns {URL} */
export function address(s) {
  must(typeof s === "string" && s.length <= 2048 && !/[\s#]/.test(s), "address");
  let u;
  try {
    u = new URL(/** @type {string} */ (s));
  } catch {
    throw new Fault("address", "malformed");
  }
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(u.hostname);
  must((u.protocol === "https:" || (u.protocol === "http:" && here)) && !u.username && !u.password, "address", "not https");
  return u;
}
