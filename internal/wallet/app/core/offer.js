// An offer of documents (OpenID4VCI 1.0 §4.1.1).
import { address } from "./address.js";
import { must } from "./bytes.js";
import { isObject } from "./json.js";

export const preAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/** @typedef {{ issuer: string, configurations: string[], code?: string, tx?: { numeric: boolean, length: number, description: string } | null, server?: string, state?: string }} Offer */

/** Reads an offer, which is a stranger's word. @param {any} o @returns {Offer} */
export function readOffer(o) {
  const rule = (/** @type {any} */ ok, /** @type {string} */ why) => must(ok, "offer", why);
  rule(isObject(o), "not an object");
  address(o.credential_issuer);
  const ids = o.credential_configuration_ids;
  rule(Array.isArray(ids) && ids.length > 0 && ids.length <= 64 && new Set(ids).size === ids.length && ids.every((i) => typeof i === "string" && i && i.length <= 2048), "configurations");
  rule(o.grants === undefined || isObject(o.grants), "grants");
  /** @type {Offer} */
  const offer = { issuer: o.credential_issuer, configurations: ids };
  const p = o.grants?.[preAuthorized], c = o.grants?.authorization_code;
  if (p !== undefined) {
    rule(isObject(p) && typeof p["pre-authorized_code"] === "string" && p["pre-authorized_code"] && p["pre-authorized_code"].length <= 2048, "code");
    offer.code = p["pre-authorized_code"];
    offer.tx = null;
    offer.server = p.authorization_server;
    if ("tx_code" in p) {
      const t = p.tx_code;
      rule(isObject(t) && [undefined, "numeric", "text"].includes(t.input_mode) && (t.length === undefined || (Number.isSafeInteger(t.length) && t.length > 0 && t.length <= 64)), "tx_code");
      rule(t.description === undefined || (typeof t.description === "string" && [...t.description].length <= 300), "tx_code");
      offer.tx = { numeric: t.input_mode !== "text", length: t.length ?? 0, description: t.description ?? "" };
    }
  } else if (c !== undefined) {
    rule(isObject(c) && (c.issuer_state === undefined || typeof c.issuer_state === "string"), "authorization_code");
    offer.state = c.issuer_state;
    offer.server = c.authorization_server;
  }
  return offer;
}
