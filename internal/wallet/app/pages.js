// The documents: cards, one in full, what was shown to whom.
import { Fault } from "./core/bytes.js";
import { h, notice, tag } from "./dom.js";
import * as device from "./device.js";
import * as documents from "./documents.js";
import { act, go, pairs, standingTag, title } from "./parts.js";
import * as receive from "./receive.js";
import { now } from "./state.js";
import * as store from "./store.js";
import * as words from "./words.js";

const { t, said, date, moment } = words;
const colours = /** @type {Record<string, string>} */ ({ "#0b5f46": "green", "#17466e": "blue", "#6d5320": "sand", "#8a2432": "red", "#3d4650": "grey" });

/** @param {documents.Document} d @param {documents.Standing} s */
function card(d, s) {
  const off = !documents.showable(s) && s.word !== "early", first = documents.fields(d).filter((f) => typeof f.value !== "object" && !String(f.value).startsWith("data:") && String(f.value).length < 80).slice(0, 2);
  return h("li", {}, h("article.doc" + (off ? ".off" : ""), { class: colours[d.colour.toLowerCase()] && "c-" + colours[d.colour.toLowerCase()] },
    h("header", {}, h("h2", {}, title(d)), h("p", {}, said(d.issuerName, d.issuer), d.demonstration && " · " + t("demo.paper"))),
    h("div.body", {}, h("p", {}, standingTag(s, d), !d.known && [" ", tag("turn", "warn", t("issuer.unknown"))]), pairs(first), d.until ? h("p.muted.small", {}, t("until"), " ", date(d.until)) : null,
      d.format === "mso_mdoc" && h("p.muted.small", {}, t("format.mdoc"))),
    h("footer", {}, h("a.btn.btn-2.btn-s", { href: "#/documents/" + encodeURIComponent(d.id) }, t("details"), h("span.sr", {}, " ", title(d))))));
}

/** @param {receive.Waiting} w */
const waiting = (w) => h("li.card.flow", {}, h("h3", {}, said(w.names, w.configuration)), h("p", {}, tag("wait", "clock", t("waiting"))), h("p.muted.small", {}, t("waiting.next"), " ", moment(w.next)),
  act(".btn-2.btn-s", t("waiting.ask"), async () => {
    const got = await receive.resume(w);
    go(got?.document ? "#/documents/" + encodeURIComponent(got.document.id) : "#/");
  }));

export async function home() {
  const docs = await documents.all(), later = await store.all("waiting"), d = await device.current();
  const cards = h("ul.docs", {});
  const draw = async () => cards.replaceChildren(...(await Promise.all(docs.map(async (x) => card(x, await documents.standing(x))))));
  await draw();
  if (docs.length) documents.refresh(docs).then(draw);
  for (const w of later) if (w.next <= now()) receive.resume(w).then((got) => got && go("#/"), () => {});
  const p = await store.meta("protection"), backed = await store.meta("backed");
  return [h("div.page-head", {}, h("h1", {}, t("home")), h("p.lead", {}, t("home.lead"))),
    d?.revoked && notice("bad", "cross", { role: "status" }, h("p", {}, h("b", {}, t("device.revoked")))),
    docs.length > 0 && !p && notice("turn", "warn", {}, h("p", {}, t("backup.advise"), " ", h("a", { href: "#/backup" }, t("backup")))),
    docs.length > 0 && p && !backed && notice("turn", "info", {}, h("p", {}, t("backup.due"), " ", h("a", { href: "#/backup" }, t("backup")))),
    docs.length ? cards : h("div.card.flow.empty", {}, h("p", {}, t("home.empty")), h("p", {}, h("a.btn", { href: "#/add" }, t("home.add")))),
    later.length > 0 && h("section.flow", {}, h("h2", {}, t("waiting.title")), h("ul.plain.flow", {}, later.map(waiting))),
    docs.length > 0 && h("p", {}, h("a", { href: "#/history" }, t("history")))];
}

/** @param {string} id */
export async function one(id) {
  const d = await documents.get(id);
  if (!d) throw new Fault("gone");
  await documents.refresh([d]);
  const s = await documents.standing(d), used = d.copies.filter((c) => c.used > 0).length;
  const question = h("dialog.card", { "aria-labelledby": "remove-q" }, h("div.flow", {}, h("h2", { id: "remove-q" }, t("remove.ask")), h("p", {}, t("remove.means")),
    h("div.actions", {}, act("", t("remove.yes"), async () => {
      await receive.remove(d);
      question.close();
      go("#/");
    }), h("button.btn.btn-2", { type: "button", onclick: () => question.close() }, t("cancel")))));
  return [h("p", {}, h("a", { href: "#/" }, t("home.back"))), h("div.page-head", {}, h("h1", {}, title(d)), h("p.owner", {}, said(d.issuerName, d.issuer))),
    h("p", {}, standingTag(s, d), d.demonstration && [" ", tag("turn", "info", t("demo.paper"))]),
    !d.known && notice("turn", "warn", {}, h("p", {}, t("issuer.unknown.means"))),
    s.word !== "valid" && notice(documents.showable(s) ? "wait" : "bad", documents.showable(s) ? "info" : "cross", {}, h("p", {}, t("status." + s.word + ".means"))),
    h("section.card", {}, h("h2", {}, t("says")), pairs(documents.fields(d))),
    h("section.card", {}, h("h2", {}, t("about")), h("dl.pairs", {}, [["received", moment(d.received)], ["from", d.from ? date(d.from) : null], ["until", d.until ? date(d.until) : t("until.none")], ["issuer", h("bdi.wraps.ltr", {}, d.issuer)],
      ["format", h("bdi.ltr.wraps", {}, d.format + " · " + d.type)], ["copies", t("copies.left", { n: d.copies.length - used, all: d.copies.length })], ["checked", s.listed ? moment(s.listed) : "–"]].map(([k, v]) => v && h("div", {}, h("dt", {}, t(String(k))), h("dd", {}, v))))),
    h("div.actions", {}, h("button.btn.btn-2", { type: "button", onclick: () => question.showModal() }, t("remove"))), question];
}

export async function history() {
  const list = (await store.all("history")).sort((/** @type {any} */ a, /** @type {any} */ b) => b.at - a.at);
  const looks = /** @type {Record<string, ["good" | "bad" | "wait", string]>} */ ({ sent: ["good", "tick"], refused: ["bad", "cross"], declined: ["wait", "pause"], unknown: ["wait", "info"] });
  return [h("div.page-head", {}, h("h1", {}, t("history")), h("p.lead", {}, t("history.lead"))),
    list.length === 0 ? h("p", {}, t("history.empty")) : h("ul.plain.flow", {}, list.map((/** @type {any} */ e) => h("li.card.flow", {}, h("h2", {}, h("bdi", {}, e.known ? e.who : e.host)), h("p.muted", {}, moment(e.at), " · ", h("bdi.ltr", {}, e.host)),
      h("p", {}, tag(...(looks[e.outcome] ?? looks.unknown), t("history." + e.outcome)), !e.known && [" ", tag("turn", "warn", t("verifier.unknown"))]),
      e.shown.map((/** @type {any} */ x) => h("div", {}, h("p", {}, h("b", {}, said(x.names))), h("ul", {}, x.fields.map((/** @type {any} */ f) => h("li", {}, said(f.names, String(f.path[f.path.length - 1])))))))))),
    list.length > 0 && h("div.actions", {}, act(".btn-2", t("history.clear"), async () => {
      await store.change(...list.map((/** @type {any} */ e) => ({ store: "history", drop: e.id })));
      go("#/history");
    }))];
}
