// Getting a document: by an offer's link or code, or by asking this country's issuer.
import { Fault } from "./core/bytes.js";
import { field, h, notice, tag } from "./dom.js";
import { open } from "./main.js";
import { act, failure, form, go } from "./parts.js";
import * as receive from "./receive.js";
import * as scan from "./scan.js";
import { settings } from "./state.js";
import * as words from "./words.js";

const { t, said } = words;

export async function choose() {
  const list = h("div", { "aria-live": "polite" }, h("p.muted", {}, t("busy")));
  fill(list);
  return [h("div.page-head", {}, h("h1", {}, t("add")), h("p.lead", {}, t("add.lead"))), scan.part(open),
    h("section.card.flow", {}, h("h2", {}, t("add.link")), form({ label: t("add.open"), look: ".btn-2", run: async (d) => open(String(d.get("link"))) }, field("link", t("add.paste"), { tag: "textarea", class: "input-ltr", required: true, spellcheck: "false", rows: 3 }, t("add.paste.hint")))),
    h("section.card.flow", {}, h("h2", {}, t("add.ask")), h("p", {}, t("add.ask.lead")), list)];
}

/** @param {HTMLElement} list */
async function fill(list) {
  try {
    const from = await receive.issuer((await settings()).issuer);
    const all = Object.keys(from.metadata.credential_configurations_supported).map((id) => receive.configuration(from, id)).filter((c) => c !== null);
    list.replaceChildren(h("ul.links", {}, all.map((c) => h("li.ask", {}, h("p", {}, h("b", {}, said(c.names, c.id)), c.format === "mso_mdoc" && [" ", h("span.muted.small", {}, t("format.mdoc"))]), h("p.muted.small", {}, said(c.about)),
      act(".btn-2.btn-s", t("add.get"), async () => location.assign(await receive.wish(from, c)))))));
  } catch (e) {
    list.replaceChildren(failure(e));
  }
}

/** @param {URLSearchParams} query */
export async function offer(query) {
  const o = await receive.openOffer(query), from = await receive.issuer(o.issuer);
  const all = o.configurations.map((id) => receive.configuration(from, id)), can = all.filter((c) => c !== null);
  if (!can.length) throw new Fault("unsupported", o.configurations.join(" "));
  // One kind of document often comes in two formats, which is the machines' business: each is marked and can be left.
  const head = [h("div.page-head", {}, h("h1", {}, t("offer")), h("p.lead", {}, t("offer.lead"))),
    h("section.card.flow", {}, h("h2.sr", {}, t("offer.by")), h("p", {}, h("b", {}, said(from.names, o.issuer)), " ", from.known ? tag("good", "tick", t("issuer.known")) : tag("turn", "warn", t("issuer.unknown"))), h("p.muted.small", {}, h("bdi.ltr.wraps", {}, o.issuer))),
    !from.known && notice("turn", "warn", {}, h("p", {}, t("issuer.unknown.offer")))];
  const items = h("fieldset.field", {}, h("legend", {}, t("offer.what")), can.map((c, i) => h("label.check.choice", {}, h("input", { type: "checkbox", name: "what", value: c.id, checked: true, id: "what" + i }),
    h("span", {}, said(c.names, c.id), c.format === "mso_mdoc" && h("small", {}, t("format.mdoc")), h("small", {}, said(c.about))))));
  if (!o.code) return [...head, form({ label: t("offer.go"), run: async (d) => {
    const c = can.find((x) => x.id === d.get("what"));
    if (!c) throw new Fault("nothing_chosen");
    location.assign(await receive.wish(from, c, o.state, o.server));
  } }, items)];
  const code = o.tx && field("tx", t("offer.code"), { class: "input-m input-ltr", required: true, autocomplete: "one-time-code", inputmode: o.tx.numeric ? "numeric" : "text", maxlength: o.tx.length || 64, spellcheck: "false" },
    o.tx.description || t(o.tx.length ? "offer.code.hint" : "offer.code.hint.any", { n: o.tx.length }));
  return [...head, form({ label: t("offer.take"), run: async (d) => {
    const wanted = d.getAll("what").map(String);
    if (!wanted.length) throw new Fault("nothing_chosen");
    await done(await receive.take(o, from, wanted, o.tx ? String(d.get("tx")).trim() : undefined));
  } }, items, code), h("p", {}, h("a.btn.btn-quiet", { href: "#/" }, t("offer.leave")))];
}

/** @param {any[]} got */
async function done(got) {
  const docs = got.flatMap((g) => (g.document ? [g.document] : []));
  go(docs.length === 1 && got.length === 1 ? "#/documents/" + encodeURIComponent(docs[0].id) : "#/");
}

/** @param {URLSearchParams} query */
export async function returned(query) {
  await done(await receive.back(query));
  return [h("h1", {}, t("home"))];
}
