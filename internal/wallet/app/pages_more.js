// The rest: the first start, settings, protection and backups, this device, somebody's paper.
import { Fault } from "./core/bytes.js";
import { field, h, icon, notice, tag } from "./dom.js";
import * as check from "./check.js";
import * as device from "./device.js";
import { act, form, go } from "./parts.js";
import * as receive from "./receive.js";
import * as safe from "./safe.js";
import * as scan from "./scan.js";
import { settings, trusted } from "./state.js";
import * as documents from "./documents.js";
import * as store from "./store.js";
import * as words from "./words.js";

const { t, said, moment, date } = words;

/** Fields for protecting keys; the page that holds them runs protect with what was entered. */
function protectFields() {
  const choice = (/** @type {string} */ value, /** @type {boolean} */ checked) => h("label.check.choice", {}, h("input", { type: "radio", name: "way", value, checked, onchange: () => { pass.hidden = value !== "passphrase"; } }), h("span", {}, t("protect." + value), h("small", {}, t("protect." + value + ".hint"))));
  const pass = h("div", { hidden: true }, field("passphrase", t("passphrase"), { type: "password", autocomplete: "new-password", minlength: safe.shortest }, t("passphrase.hint", { n: safe.shortest })));
  const ways = safe.passkeys() ? ["passkey", "passphrase", "none"] : ["passphrase", "none"];
  return { pass, none: (/** @type {boolean} */ none) => h("fieldset.field", {}, h("legend", {}, t("protect")), h("p.muted", {}, t("protect.lead")), ways.filter((w) => none || w !== "none").map((w) => choice(w, w === (none ? "none" : "")))) };
}

/** @param {FormData} d */
async function protect(d) {
  const way = d.get("way");
  if (way === "passphrase") await safe.byPassphrase(String(d.get("passphrase")));
  else if (way === "passkey") await safe.byPasskey(t("title"));
  else if (way !== "none") throw new Fault("nothing_chosen");
}

export async function startPage() {
  const f = protectFields();
  return [h("div.page-head", {}, h("h1", {}, t("start")), h("p.lead", {}, t("start.lead"))),
    h("ul.plain.flow.points", {}, ["start.yours", "start.shown", "start.offline"].map((k) => h("li", {}, icon("tick"), h("span", {}, t(k))))),
    form({ label: t("start.go"), run: async (d) => {
      await protect(d);
      await store.change({ store: "meta", put: true, key: "begun" }, { store: "meta", put: words.lang, key: "lang" });
      go("#/");
    } }, f.none(true), f.pass), h("p", {}, h("a", { href: "#/restore" }, t("restore.have")))];
}

export async function settingsPage() {
  const d = await device.current(), p = await safe.protection(), backed = await store.meta("backed"), tl = await trusted().catch(() => null);
  const question = h("dialog.card", { "aria-labelledby": "clear-q" }, h("div.flow", {}, h("h2", { id: "clear-q" }, t("clear.ask")), h("p", {}, t("clear.means")), h("div.actions", {}, act("", t("clear.yes"), async () => {
    for (const x of await documents.all()) await receive.remove(x);
    await store.clear();
    location.replace("/wallet/");
  }), h("button.btn.btn-2", { type: "button", onclick: () => question.close() }, t("cancel")))));
  return [h("div.page-head", {}, h("h1", {}, t("settings"))),
    h("section.card.flow", {}, h("h2", {}, t("device")), h("p", {}, d ? (d.revoked ? tag("bad", "cross", t("device.revoked.short")) : tag("good", "tick", t("device.known"))) : tag("wait", "info", t("device.not"))), h("p", {}, t("device.means")), h("p", {}, h("a", { href: "#/device" }, t(d && !d.revoked ? "device.see" : "device.register")))),
    h("section.card.flow", {}, h("h2", {}, t("backup")), h("p", {}, p ? tag("good", "tick", t("protect.by." + p.way.way)) : tag("turn", "warn", t("protect.not"))), p && h("p.muted.small", {}, t("backup.last"), " ", backed ? moment(backed) : t("never")), h("p", {}, h("a", { href: "#/backup" }, t("backup")), " · ", h("a", { href: "#/restore" }, t("restore")))),
    h("section.card.flow", {}, h("h2", {}, t("trust")), h("p", {}, t("trust.means")), tl && h("dl.pairs", {}, h("div", {}, h("dt", {}, t("trust.of")), h("dd", {}, moment(tl.list.issued))), h("div", {}, h("dt", {}, t("trust.until")), h("dd", {}, moment(tl.list.expires)))),
      act(".btn-2.btn-s", t("trust.again"), async () => {
        await trusted(true);
        await documents.refresh(await documents.all(), true);
        go("#/settings");
      })),
    h("section.card.flow", {}, h("h2", {}, t("history")), h("p", {}, h("a", { href: "#/history" }, t("history.see")))),
    h("section.card.flow", {}, h("h2", {}, t("clear")), h("p", {}, t("clear.lead")), h("div.actions", {}, h("button.btn.btn-2", { type: "button", onclick: () => question.showModal() }, t("clear")))), question];
}

export async function devicePage() {
  const d = await device.current(), c = await settings(), live = d && !d.revoked;
  const head = h("div.page-head", {}, h("h1", {}, t("device")), h("p.lead", {}, t("device.means")));
  if (live) return [head, h("dl.pairs", {}, h("div", {}, h("dt", {}, t("device.name")), h("dd", {}, h("bdi", {}, d.name))), h("div", {}, h("dt", {}, t("device.ends")), h("dd", {}, moment(d.ends)))), h("p", {}, h("a", { href: "/" + words.lang + "/me/wallets" }, t("device.list")))];
  return [head, d?.revoked && notice("bad", "cross", {}, h("p", {}, t("device.revoked"))),
    form({ label: t("device.register"), run: async (data) => {
      try {
        await device.register(String(data.get("name")).trim());
      } catch (e) {
        if (!(e instanceof Fault) || e.code !== "sign_in") throw e;
        location.assign(c.signIn[words.lang]);
        return;
      }
      go("#/device");
    } }, field("name", t("device.name"), { required: true, maxlength: 80, autocomplete: "off" }, t("device.name.hint")), h("p.muted", {}, t("device.sign_in")))];
}

export async function backupPage() {
  const p = await safe.protection(), head = h("div.page-head", {}, h("h1", {}, t("backup")), h("p.lead", {}, t("backup.lead")));
  if (!p) {
    const f = protectFields(), has = (await documents.all()).length > 0;
    return [head, has && notice("turn", "warn", {}, h("p", {}, t("backup.before"))), form({ label: t("protect.go"), run: async (d) => {
      await protect(d);
      go("#/backup");
    } }, f.none(false), f.pass)];
  }
  const said = h("div", { "aria-live": "polite" });
  return [head, h("p", {}, tag("good", "tick", t("protect.by." + p.way.way))), form({ label: t("backup.make"), run: async (d) => {
    const b = await safe.write(String(d.get("passphrase") ?? ""));
    const url = URL.createObjectURL(new Blob([b.file], { type: "application/json" })), day = new Date().toISOString().slice(0, 10);
    const a = h("a.btn.btn-2", { href: url, download: "diwan-wallet-" + day + ".json" }, t("backup.save"));
    said.replaceChildren(notice("good", "tick", { role: "status" }, h("p", {}, t("backup.made", { n: b.documents }), b.left > 0 && [" ", t("backup.left", { n: b.left })]), h("p", {}, a)));
    a.click();
  } }, p.way.way === "passphrase" && field("passphrase", t("passphrase"), { type: "password", autocomplete: "current-password", required: true })), said];
}

export async function restorePage() {
  const ask = h("div", { hidden: true });
  /** @type {Awaited<ReturnType<typeof safe.peek>> | null} */
  let file = null;
  const input = h("input.input", { type: "file", id: "file", accept: "application/json,.json", required: true });
  return [h("div.page-head", {}, h("h1", {}, t("restore")), h("p.lead", {}, t("restore.lead"))), form({ label: t("restore.go"), run: async (d) => {
    const [chosen] = input.files;
    if (!chosen) throw new Fault("nothing_chosen");
    if (chosen.size > 32 << 20) throw new Fault("backup_form");
    const next = await safe.peek(await chosen.text());
    if (next.way.way === "passphrase" && (!file || file.head !== next.head || !d.get("passphrase"))) {
      file = next;
      ask.replaceChildren(h("p", {}, t("restore.of"), " ", moment(next.created)), field("passphrase", t("passphrase"), { type: "password", autocomplete: "current-password", required: true }));
      ask.hidden = false;
      ask.querySelector("input")?.focus();
      return;
    }
    await safe.restore(next, String(d.get("passphrase") ?? ""));
    go("#/");
  } }, h("div.field", {}, h("label.label", { for: "file" }, t("restore.file")), input), ask)];
}

/** @param {string} text */
export async function paperPage(text) {
  const out = h("div.flow", { "aria-live": "polite" });
  if (!(await store.meta("types"))) await receive.issuer((await settings()).issuer).catch(() => {});
  const types = (await store.meta("types")) ?? {};
  const show = async (/** @type {string} */ s) => out.replaceChildren(...result(await check.check(s), types));
  const page = [h("div.page-head", {}, h("h1", {}, t("paper")), h("p.lead", {}, t("paper.lead"))), out, scan.part(show),
    h("section.card.flow", {}, h("h2", {}, t("paper.text")), form({ label: t("paper.check"), look: text ? ".btn-2" : "", run: async (d) => {
      await show(String(d.get("code")));
      out.querySelector("h2")?.focus();
    } }, field("code", t("paper.code"), { tag: "textarea", class: "input-ltr", required: true, spellcheck: "false", rows: 4 }, t("paper.code.hint"))))];
  if (text) await show(text);
  return page;
}

/** @param {check.Result} r @param {Record<string, { names: Record<string, string>, labels: { path: any[], names: Record<string, string> }[] }>} types */
function result(r, types) {
  const kind = r.code && types[r.code.type], label = (/** @type {string} */ name) => kind?.labels.find((l) => l.path[l.path.length - 1] === name)?.names ?? {};
  const look = /** @type {const} */ ({ accepted: ["good", "tick"], refused: ["bad", "cross"], unknown: ["turn", "warn"] }), [colour, shape] = look[r.verdict], c = r.code;
  return [notice(colour, shape, {}, h("h2", { tabindex: "-1" }, t("paper." + r.verdict)), r.reason && h("p", {}, t("reason." + r.reason))),
    c && h("section.card.flow", {}, h("h3", {}, t("paper.says")), h("dl.pairs", {}, h("div", {}, h("dt", {}, t("issuer.by")), h("dd", {}, said(c.issuer.name), c.issuer.demonstration && [" ", tag("turn", "info", t("demo.paper"))])),
      h("div", {}, h("dt", {}, t("paper.type")), h("dd", {}, kind ? said(kind.names, c.type) : h("bdi.ltr.wraps", {}, c.type))), h("div", {}, h("dt", {}, t("paper.number")), h("dd", {}, h("bdi.ltr", {}, c.number))),
      h("div", {}, h("dt", {}, t("paper.issued")), h("dd", {}, date(c.issued))), c.until ? h("div", {}, h("dt", {}, t("until")), h("dd", {}, date(c.until))) : null,
      c.claims.map((k) => h("div", {}, h("dt", {}, said(label(k.name), k.name)), h("dd", {}, words.value(k.value))))), h("p", {}, t("paper.compare"))),
    h("p.muted.small", {}, t("paper.rests"), " ", t("trust"), ": ", r.trustAt ? moment(r.trustAt) : "–", " · ", t("paper.status"), ": ", r.statusAt ? moment(r.statusAt) : "–")].filter((x) => x);
}
