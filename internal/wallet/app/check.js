// Checking somebody's paper without a network: who signed it, whether it still holds, and how old what that rests on is.
import { Fault } from "./core/bytes.js";
import * as paper from "./core/paper.js";
import * as status from "./core/status.js";
import * as documents from "./documents.js";
import { consult, now, trusted } from "./state.js";

/**
 * @typedef {{ verdict: "accepted" | "refused" | "unknown", reason: string, code?: Awaited<ReturnType<typeof paper.open>>, trustAt: number, statusAt: number }} Result
 *
 * Never accepted without a list of issuers and a status list that are still good.
 * @param {string} text @returns {Promise<Result>}
 */
export async function check(text) {
  /** @type {Result} */
  const r = { verdict: "refused", reason: "", trustAt: 0, statusAt: 0 };
  let held;
  try {
    held = await trusted();
  } catch (e) {
    if (!(e instanceof Fault)) throw e;
    return { ...r, verdict: "unknown", reason: "trust_unknown" };
  }
  r.trustAt = held.list.issued;
  try {
    const code = paper.find(text);
    ({ answer: r.code, held } = await consult((list) => paper.open(code, list, now())));
    r.trustAt = held.list.issued;
  } catch (e) {
    if (!(e instanceof Fault)) throw e;
    return { ...r, reason: ["unreadable", "unsupported", "untrusted_issuer", "bad_signature"].includes(e.code) ? e.code : "unreadable" };
  }
  const c = r.code;
  if (c.from > now() + 60) return { ...r, reason: "not_yet_valid" };
  if (c.until && c.until <= now()) return { ...r, reason: "expired" };
  if (c.status) {
    try {
      const l = await documents.list(c.status.uri);
      r.statusAt = l.issued;
      const word = status.word(status.at(l, c.status.idx));
      if (word === "revoked" || word === "suspended") return { ...r, reason: word };
      if (word !== "valid") return { ...r, verdict: "unknown", reason: "status_unknown" };
    } catch (e) {
      if (!(e instanceof Fault)) throw e;
      return { ...r, verdict: "unknown", reason: "status_unknown" };
    }
  }
  if (!held.list.fresh(now())) return { ...r, verdict: "unknown", reason: "trust_unknown" };
  return { ...r, verdict: "accepted" };
}
