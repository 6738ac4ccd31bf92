// Words in the reader's language, and dates as people write them.
import { h } from "./dom.js";

/** @type {{ code: string, name: string, dir: string }[]} of the country, the first one first */
export let languages = [];

/** Takes what differs from country to country. @param {{ code: string, name: string, dir: string }[]} list @param {[number, number][]} changes of its clocks */
export function know(list, changes) {
  languages = list;
  clocks = changes;
}

/** @type {Record<string, string>} */
let words = {};
export let lang = "ar";

/** Takes a language for the page. @param {string} code */
export async function use(code) {
  const l = languages.find((x) => x.code === code) ?? languages[0];
  const r = await fetch(new URL("words/" + l.code + ".json", import.meta.url));
  if (!r.ok) return location.reload(); // another version took this one's place
  words = await r.json();
  lang = l.code;
  document.documentElement.lang = l.code;
  document.documentElement.dir = l.dir;
  document.querySelector("link[rel=manifest]")?.setAttribute("href", "/wallet/manifest." + l.code + ".webmanifest");
}

/** @param {string} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, k) => String(values[k] ?? ""));
}

/** @param {string} key */
export const has = (key) => key in words;

/** The text of the reader's language, or the nearest there is. @param {Record<string, string>} names @param {string} [otherwise] */
export function pick(names, otherwise = "") {
  const code = [lang, lang === "zgh" ? "fr" : "ar", "fr", "en", ...Object.keys(names)].find((c) => names[c]);
  return { code: code ?? "", text: code !== undefined ? names[code] : otherwise };
}

/** A name of the world outside, marked with its own language and set apart from the words around it. @param {Record<string, string>} names @param {string} [otherwise] */
export function said(names, otherwise = "") {
  const p = pick(names, otherwise), l = languages.find((x) => x.code === p.code);
  return h("bdi", { lang: l && l.code !== lang ? l.code : undefined }, p.text);
}

const months = () => t("months").split("|");

/** @type {[number, number][]} from when on the country's clocks are how many seconds ahead, oldest first */
let clocks = [];

/** The day and the time of the country, whatever the device's own zone is and knows. @param {number} seconds */
function local(seconds) {
  const ahead = clocks.findLast(([from]) => from <= seconds)?.[1] ?? 0, d = new Date((seconds + ahead) * 1000);
  return { day: `${d.getUTCDate()} ${months()[d.getUTCMonth()]} ${d.getUTCFullYear()}`, time: d.toISOString().slice(11, 16) };
}

/** @param {number} seconds */
export function date(seconds) {
  return h("time", { datetime: new Date(seconds * 1000).toISOString() }, local(seconds).day);
}

/** @param {number} seconds */
export function moment(seconds) {
  const l = local(seconds);
  return h("time", { datetime: new Date(seconds * 1000).toISOString() }, l.day + t("at"), h("bdi.ltr", {}, l.time));
}

/** @type {import("./documents.js").Within} */
const nameless = () => ({ place: 0, names: {} });

/** A value of a document, as a person reads it. @param {any} v @param {import("./documents.js").Within} [within] what its issuer calls its members @returns {any} */
export function value(v, within = nameless) {
  if (v === true || v === false) return t(v ? "yes" : "no");
  if (v === null || v === undefined) return "–";
  if (typeof v === "number") return h("bdi.ltr", {}, String(v));
  if (typeof v === "string") {
    const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(v);
    if (day && +day[2] >= 1 && +day[2] <= 12) return h("time", { datetime: v }, `${+day[3]} ${months()[+day[2] - 1]} ${day[1]}`);
    if (/^data:image\/(jpeg|png);base64,[A-Za-z0-9+/=]+$/.test(v)) return h("img.portrait", { src: v, alt: t("portrait") });
    if (/^_9j_|^\/9j\//.test(v) && v.length > 200) return h("img.portrait", { src: "data:image/jpeg;base64," + v.replace(/-/g, "+").replace(/_/g, "/"), alt: t("portrait") });
    return h("bdi", {}, v.slice(0, 2000));
  }
  const below = (/** @type {any} */ k) => (/** @type {any[]} */ rest) => within([k, ...rest]);
  if (Array.isArray(v)) return h("ul.plain.flow", {}, v.map((x, i) => h("li", {}, value(x, below(i)))));
  const members = Object.entries(v).map(([k, x]) => ({ k, x, ...within([k]) })).sort((a, b) => a.place - b.place);
  return h("dl.pairs.one", {}, members.map((m) => h("div", {}, h("dt", {}, said(m.names, m.k)), h("dd", {}, value(m.x, below(m.k))))));
}
