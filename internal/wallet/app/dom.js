// Making pages: elements from values, never from markup, so that nothing a stranger sent is ever taken for a page.

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */

/** @param {string} tag with classes, "p.muted" @param {Record<string, any>} [props] @param {...Child} children @returns {any} */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split("."), e = document.createElement(name);
  if (classes.length) e.className = classes.join(" ");
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "class") e.className += " " + v;
    else e.setAttribute(k, v === true ? "" : String(v));
  }
  e.append(...flat(children));
  return e;
}

/** @param {Child[]} list @returns {(Node | string)[]} */
const flat = (list) => list.flatMap((c) => (Array.isArray(c) ? flat(c) : c === null || c === undefined || c === false ? [] : [c instanceof Node ? c : String(c)]));

const shapes = /** @type {Record<string, string>} */ ({
  tick: "m5 12.5 4.5 4.5L19 7.5", cross: "m6 6 12 12M18 6 6 18", clock: "M12 7v5l3.5 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z", pause: "M9 6v12M15 6v12", info: "M12 11v6M12 7.5v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  warn: "M12 4 2.5 20h19L12 4ZM12 10v5M12 17.5v.01", seal: "M12 3l2.4 2 3.1-.2.7 3L20.8 10 19.6 13l1.2 2.9-2.7 1.6-.7 3-3.1-.1L12 22l-2.3-1.6", who: "M4 20V9l8-5 8 5v11M4 20h16M9 20v-6h6v6",
});

/** @param {string} name */
export function icon(name) {
  const s = document.createElementNS("http://www.w3.org/2000/svg", "svg"), p = document.createElementNS("http://www.w3.org/2000/svg", "path");
  s.setAttribute("class", "i");
  s.setAttribute("viewBox", "0 0 24 24");
  s.setAttribute("aria-hidden", "true");
  p.setAttribute("d", shapes[name] ?? shapes.info);
  s.append(p);
  return s;
}

/** @param {"good" | "turn" | "bad" | "wait"} look @param {string} shape @param {...Child} words */
export const tag = (look, shape, ...words) => h("span.tag.is-" + look, {}, icon(shape), ...words);

/** @param {"good" | "turn" | "bad" | "wait"} look @param {string} shape @param {Record<string, any>} props @param {...Child} words */
export const notice = (look, shape, props, ...words) => h("div.notice.is-" + look, props, icon(shape), ...words);

/** A labelled field. @param {string} id @param {string} label @param {Record<string, any>} props @param {string} [hint] */
export function field(id, label, props, hint) {
  const input = h((props.tag ?? "input") + ".input", { id, name: id, ...props, tag: undefined, "aria-describedby": hint ? id + "-hint" : undefined });
  return h("div.field", {}, h("label.label", { for: id }, label), hint && h("p.muted", { id: id + "-hint" }, hint), input);
}
