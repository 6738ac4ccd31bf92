// Links that open the wallet: an offer of documents, a request to show some, a code on paper.
import { must } from "./core/bytes.js";

/** @typedef {{ kind: "offer" | "request" | "paper" | "back" | "none", query: URLSearchParams, text: string }} Opened */

const schemes = { "openid-credential-offer:": "offer", "haip-vci:": "offer", "openid4vp:": "request", "haip-vp:": "request" };

/** Finds out what a link or a scanned text is for. @param {string} s @returns {Opened} */
export function read(s) {
  const text = s.trim();
  must(text.length <= 1 << 18, "unreadable", "too long");
  if (/^DW1(:|%3A)/i.test(text) || /^https?:[^#]*#DW1(:|%3A)/i.test(text)) return { kind: "paper", query: new URLSearchParams(), text: s };
  const [before] = text.split("#"), at = before.indexOf("?");
  const query = new URLSearchParams(at < 0 ? "" : before.slice(at + 1));
  const names = [...query.keys()];
  must(names.length === new Set(names).size, "link", "a parameter is given twice");
  const scheme = text.slice(0, text.indexOf(":") + 1).toLowerCase();
  const has = (/** @type {string} */ n) => query.has(n);
  const content = has("credential_offer") || has("credential_offer_uri") ? "offer" : has("client_id") && (has("request_uri") || has("request") || has("dcql_query")) ? "request" : "none";
  if (scheme in schemes) must(/** @type {any} */ (schemes)[scheme] === content, "link", "the link carries something else");
  else must(["https:", "http:", "web+openid-credential-offer:", "web+openid4vp:"].includes(scheme), "link", "an unknown link");
  if (content === "none" && has("state") && (has("code") || has("error"))) return { kind: "back", query, text };
  return { kind: content, query, text };
}
