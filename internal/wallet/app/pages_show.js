// Answering who asks for a document: who they are, why, and exactly what they would see.
import { Fault, must } from "./core/bytes.js";
import { h, icon, notice, tag } from "./dom.js";
import { act, form, go, pairs, standingTag, title } from "./parts.js";
import * as present from "./present.js";
import * as words from "./words.js";

const { t, said } = words;

/** Goes on where the verifier sends; an address of theirs is only opened from here. @param {string} to */
async function onward(to) {
  if (to) location.assign(to);
  else go("#/history");
}

/** @param {present.Request} r */
function who(r) {
  return h("section.card.flow", {}, h("h2", {}, t("ask.who")), h("div.who", {}, h("span.seal", {}, icon("who")), h("div", {}, h("p", {}, h("b", {}, r.known ? said({}, r.name) : h("bdi", {}, r.host))),
    h("p", {}, r.known ? tag("good", "tick", t("verifier.known")) : tag("turn", "warn", t("verifier.unknown")), r.demonstration && [" ", tag("turn", "info", t("demo.paper"))]), h("p.muted.small", {}, h("bdi.ltr.wraps", {}, r.host)))),
  Object.keys(r.names).length > 0 && words.pick(r.names).text !== r.name && h("p", {}, t("ask.calls"), " ", said(r.names)),
  h("p", {}, h("b", {}, t("ask.why")), " ", Object.keys(r.purposes).length ? said(r.purposes) : t("ask.why.none")));
}

/** @param {URLSearchParams} query */
export async function request(query) {
  const r = await present.open(query);
  const refuse = act(".btn-2", t("ask.refuse"), async () => onward(await present.refuse(r)));
  const head = [h("div.page-head", {}, h("h1", {}, t("ask")), h("p.lead", {}, t("ask.lead"))), who(r), !r.known && notice("turn", "warn", {}, h("p", {}, t("verifier.unknown.means")))];
  let choices;
  try {
    choices = await present.choices(r);
  } catch (e) {
    if (!(e instanceof Fault) || e.code !== "query_not_met") throw e;
    return [...head, notice("bad", "cross", { role: "status" }, h("p", {}, h("b", {}, t("ask.none"))), h("p", {}, t("ask.none.means"))), h("div.actions", {}, refuse)];
  }
  const parts = await Promise.all(choices.map((c, i) => part(c, i)));
  return [...head, form({ label: t("ask.send"), run: async (d) => onward(await present.send(r, choices.flatMap((c, i) => chosen(c, d.getAll("which" + i))))) }, ...parts,
    notice("wait", "info", {}, h("p", {}, t(r.mode === "direct_post.jwt" ? "ask.sealed" : "ask.open")))), h("div.actions", {}, refuse)];
}

/** What the person chose of the documents that answer a question: one, or where the verifier takes several, any number of them. @param {present.Choice} c @param {FormDataEntryValue[]} which */
function chosen(c, which) {
  must(which.length || c.candidates.length === 1, "choose_one");
  return (which.length ? which : ["0"]).map((n) => ({ question: c.question, candidate: c.candidates[Number(n)] }));
}

/** @param {present.Choice} c @param {number} i */
async function part(c, i) {
  const many = c.question.multiple === true;
  const shown = await Promise.all(c.candidates.map((x) => present.shown(x.document, x.paths)));
  const lists = c.candidates.map((x, n) => h("div", { hidden: n > 0 }, shown[n].length ? pairs(shown[n]) : h("p", {}, t("ask.type"))));
  const cards = c.candidates.length === 1 ? h("p", {}, h("b", {}, title(c.candidates[0].document)), " ", standingTag(c.candidates[0].standing, c.candidates[0].document), h("br"), h("span.muted.small", {}, said(c.candidates[0].document.issuerName))) :
    h("fieldset.field", {}, h("legend", {}, t(many ? "ask.which_many" : "ask.which")), c.candidates.map((x, n) => h("label.check.choice", {}, h("input", { type: many ? "checkbox" : "radio", name: "which" + i, value: n, checked: n === 0, onchange: (/** @type {any} */ e) => lists.forEach((l, m) => (many ? m === n && (l.hidden = !e.target.checked) : (l.hidden = m !== n))) }),
      h("span", {}, title(x.document), h("small", {}, said(x.document.issuerName), " · ", t("received"), " ", words.date(x.document.received)), standingTag(x.standing, x.document)))));
  return h("section.card.flow", {}, h("h2", {}, t("ask.what")), cards, h("h3", {}, t("ask.fields")), ...lists, h("p.muted.small", {}, t("ask.nothing_else")));
}
