// The wallet: opens what a link brought, shows the page that the address names, and works without a network.
import { Fault } from "./core/bytes.js";
import { h, notice } from "./dom.js";
import * as links from "./links.js";
import * as pages from "./pages.js";
import * as add from "./pages_add.js";
import * as show from "./pages_show.js";
import * as more from "./pages_more.js";
import { failure } from "./parts.js";
import { settings } from "./state.js";
import * as store from "./store.js";
import * as words from "./words.js";

const { t } = words;

/** What a link brought, until it is dealt with. @type {links.Opened | null} */
let brought = null;
/** Counts pages, so that a slow one never takes the place of the one that came after it. */
let turn = 0;

/** @type {Record<string, (rest: string[]) => Promise<any>>} */
const routes = {
  "": () => pages.home(), add: () => add.choose(), documents: ([id]) => pages.one(id), history: () => pages.history(), settings: () => more.settingsPage(), backup: () => more.backupPage(),
  restore: () => more.restorePage(), device: () => more.devicePage(), paper: () => more.paperPage(""), start: () => more.startPage(),
};

/** @param {() => Promise<any>} make */
async function put(make) {
  const mine = ++turn, main = /** @type {HTMLElement} */ (document.getElementById("main"));
  main.setAttribute("aria-busy", "true");
  let page;
  try {
    page = await make();
  } catch (e) {
    page = [h("h1", { tabindex: "-1" }, t("error.title")), failure(e, true), h("p", {}, h("a.btn.btn-2", { href: "#/" }, t("home.back")))];
  }
  if (mine !== turn) return;
  main.replaceChildren(h("div.wrap.wallet.flow", {}, page));
  main.removeAttribute("aria-busy");
  const h1 = main.querySelector("h1");
  document.title = (h1?.textContent ?? t("title")) + " · " + t("title");
  h1?.setAttribute("tabindex", "-1");
  h1?.focus({ preventScroll: true });
  scrollTo(0, 0);
  const [at] = location.hash.slice(2).split("/");
  for (const a of document.querySelectorAll(".head nav a")) {
    if (a.getAttribute("href") === "#/" + at) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
}

/** Shows what came by a link: an offer, a request, the way back from an issuer. @param {links.Opened} o */
function deal(o) {
  if (o.kind === "offer") return put(() => add.offer(o.query));
  if (o.kind === "request") return put(() => show.request(o.query));
  if (o.kind === "back") return put(() => add.returned(o.query));
  if (o.kind === "paper") return put(() => more.paperPage(o.text));
  return put(() => pages.home());
}

/** Opens a pasted or scanned text. @param {string} s */
export function open(s) {
  const o = links.read(s);
  if (o.kind === "none" || o.kind === "back") throw new Fault("link");
  return deal(o);
}

async function route() {
  if (/^#DW1(:|%3A)/i.test(location.hash)) {
    const text = location.origin + location.pathname + location.hash;
    history.replaceState(null, "", location.pathname + "#/paper");
    return put(() => more.paperPage(text));
  }
  if (!(await store.meta("begun")) && !location.hash.startsWith("#/restore")) return put(() => more.startPage());
  if (brought) {
    const o = brought;
    brought = null;
    return deal(o);
  }
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return put(() => (routes[name] ?? routes[""])(rest.map(decodeURIComponent)));
}

/** Draws the frame of every page in the reader's language. */
async function frame() {
  const c = await settings(), l = words.lang;
  const choose = (/** @type {string} */ code) => async () => {
    await store.setMeta("lang", code);
    await begin();
  };
  document.body.replaceChildren(
    h("a.skip", { href: "#main", onclick: (/** @type {Event} */ e) => { e.preventDefault(); document.getElementById("main")?.focus(); } }, t("skip")),
    h("header.head", {}, c.demo && h("div.demo", {}, h("div.wrap", {}, h("b", {}, t("demo")), " ", t("demo.text"))),
      h("div.wrap", {}, h("a.brand", { href: "#/" }, h("img", { src: document.querySelector("link[rel=icon]")?.getAttribute("href"), alt: "", width: 38, height: 38 }), t("title")),
        h("nav.nav", { "aria-label": t("nav") }, [["", "nav.documents"], ["add", "nav.add"], ["paper", "nav.paper"], ["settings", "nav.settings"]].map(([to, key]) => h("a", { href: "#/" + to }, t(key)))),
        h("nav.langs", { "aria-label": t("languages") }, words.languages.filter((x) => x.code !== l).map((x) => h("button.lang", { type: "button", lang: x.code, dir: x.dir, onclick: choose(x.code) }, x.name))))),
    h("main", { id: "main", tabindex: "-1" }),
    h("footer.foot", {}, h("div.wrap", {}, t("review") && h("p", {}, t("review")), h("p", {}, h("a", { href: "/" + l + "/me/wallets" }, t("foot.devices")), " ", h("a", { href: "/" + l + "/" }, t("foot.portal"))))));
}

async function begin() {
  const c = await settings();
  words.know(c.languages, c.clocks ?? []);
  const wanted = (await store.meta("lang")) ?? document.documentElement.lang;
  await words.use(wanted);
  await frame();
  await route();
}

/** Works without a network: the files of this version are kept together by a service worker. */
function keepFiles() {
  if (!("serviceWorker" in navigator)) return;
  const trustedTypes = /** @type {any} */ (window).trustedTypes, own = "/wallet/sw.js";
  const policy = trustedTypes?.createPolicy("diwan-wallet", { createScriptURL: (/** @type {string} */ s) => (s === own ? s : "") });
  navigator.serviceWorker.register(policy ? policy.createScriptURL(own) : own, { scope: "/wallet/" }).catch((e) => console.warn(e));
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (document.getElementById("update") || !document.body.firstChild || !wasControlled) return;
    document.querySelector("main")?.prepend(h("div.wrap", { id: "update" }, notice("wait", "info", { role: "status" }, h("p", {}, t("update"), " ", h("button.btn.btn-2.btn-s", { type: "button", onclick: () => location.reload() }, t("update.now"))))));
  });
}
const wasControlled = Boolean(navigator.serviceWorker?.controller);

/** Offers once to open links of the protocols. Browsers allow few schemes; where they don't, links are pasted or scanned. */
async function takeLinks() {
  if (!(await store.meta("begun")) || (await store.meta("links"))) return;
  await store.setMeta("links", true);
  for (const s of ["openid-credential-offer", "haip-vci", "openid4vp", "haip-vp", "web+openid-credential-offer", "web+openid4vp"]) try {
    navigator.registerProtocolHandler?.(s, location.origin + "/wallet/?link=%s");
  } catch { /* not in this browser */ }
}

const linked = new URLSearchParams(location.search).get("link");
if (location.search) {
  try {
    brought = links.read(linked ?? location.href.split("#")[0]);
    if (brought.kind === "none") brought = null;
  } catch { /* a link that says nothing opens the wallet */ }
  history.replaceState(null, "", location.pathname + location.hash); // codes don't stay in the address
}
addEventListener("hashchange", () => route());
// What a link brought has no address of its own: a link to the address that stands there leads away from it.
addEventListener("click", (e) => {
  const a = e.target instanceof Element && e.target.closest("a[href^='#/']");
  if (a && a.getAttribute("href") === location.hash) route();
});
keepFiles();
begin().then(takeLinks).catch((e) => document.body.replaceChildren(h("main", { id: "main" }, h("div.wrap", {}, h("h1", {}, "!"), h("p", {}, String(e.message))))));
navigator.storage?.persist?.().catch(() => {});
