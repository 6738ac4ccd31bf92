// Parts that several pages share.
import { Fault } from "./core/bytes.js";
import { h, notice, tag } from "./dom.js";
import * as words from "./words.js";

const { t } = words;

/** Says what went wrong; on a page of its own with the cause, which helps who is asked for help. @param {any} e @param {boolean} [cause] */
export function failure(e, cause) {
  if (!(e instanceof Fault)) console.error(e);
  const code = e instanceof Fault ? e.code : "internal", key = words.has("error." + code) ? "error." + code : "error.internal";
  return notice("bad", "cross", { role: "alert", tabindex: "-1" }, h("p", {}, h("b", {}, t(key, e instanceof Fault ? e.more : {}))),
    cause && e instanceof Fault && h("p.muted.small", {}, h("bdi.ltr.wraps", {}, e.message)));
}

/**
 * A form whose work takes a while: says so, can't be sent twice, and says what went wrong where it happened.
 * @param {{ label: string, run: (data: FormData) => Promise<any>, look?: string }} o @param {...any} children
 */
export function form(o, ...children) {
  const said = h("div", { "aria-live": "polite" }), button = h("button.btn" + (o.look ?? ""), { type: "submit" }, o.label);
  const f = h("form.form", { onsubmit: async (/** @type {Event} */ e) => {
    e.preventDefault();
    if (f.getAttribute("aria-busy")) return;
    f.setAttribute("aria-busy", "true");
    said.replaceChildren(h("p.muted", {}, t("busy")));
    try {
      await o.run(new FormData(f));
      said.replaceChildren();
    } catch (err) {
      const p = failure(err);
      said.replaceChildren(p);
      p.focus();
    }
    f.removeAttribute("aria-busy");
  } }, ...children, said, h("div.actions", {}, button));
  return f;
}

/** A button that does something which takes a while. @param {string} look @param {string} label @param {() => Promise<any>} run */
export function act(look, label, run) {
  const said = h("span", { "aria-live": "polite" });
  const b = h("button.btn" + look, { type: "button", onclick: async () => {
    if (b.getAttribute("aria-busy")) return;
    b.setAttribute("aria-busy", "true");
    said.replaceChildren(h("span.muted", {}, t("busy")));
    try {
      await run();
      said.replaceChildren();
    } catch (e) {
      said.replaceChildren(failure(e));
    }
    b.removeAttribute("aria-busy");
  } }, label);
  return h("span.act", {}, b, said);
}

/** @param {import("./documents.js").Standing} s @param {import("./documents.js").Document} d */
export function standingTag(s, d) {
  if (s.word === "valid" && d.until && d.until - s.at < 14 * 86400) return tag("turn", "clock", t("status.soon"), " ", words.date(d.until));
  const look = /** @type {const} */ ({ valid: ["good", "tick"], suspended: ["turn", "pause"], revoked: ["bad", "cross"], expired: ["bad", "cross"], early: ["wait", "clock"], unknown: ["wait", "info"] });
  const [colour, shape] = look[s.word];
  return tag(colour, shape, t("status." + s.word));
}

/** @param {import("./documents.js").Field[]} list */
export const pairs = (list) => h("dl.pairs", {}, list.map((f) => h("div", {}, h("dt", {}, words.said(f.names, String(f.path[f.path.length - 1]))), h("dd", {}, words.value(f.value, f.within)))));

/** @param {import("./documents.js").Document} d */
export const title = (d) => words.said(d.names, d.configuration);

/** @param {string} at */
export const go = (at) => {
  if (location.hash === at) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = at;
};
