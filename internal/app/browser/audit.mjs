// Every kind of page, in every language: nothing wider than the screen, nothing
// from elsewhere. In the first two languages, which are one of each direction, no
// finding of axe either: in the first on a phone as the page comes, and in the dark; in
// the second on a desk with everything unfolded. What axe sees is in the templates,
// which all languages share.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open, overflow, signIn, watch } from "./page.mjs";

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const everything = {
  resultTypes: ["violations"],
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  rules: { "target-size": { enabled: true } },
};
// In the dark only the colours change.
export const colours = { resultTypes: ["violations"], runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };

export const phone = { width: 360, height: 780 };
export const desk = { width: 1280, height: 900 };
export const narrowest = { width: 320, height: 640 };

// atOnce is how many pages are looked at side by side.
const atOnce = 2;

export async function audit(browser, job) {
  const logins = ["", ...new Set(job.pages.map((p) => p.as).filter(Boolean))];
  const work = [...job.pages];
  const run = async () => {
    const pages = {};
    for (const login of logins) {
      const context = await browser.newContext({ viewport: phone, reducedMotion: "reduce" });
      if (login) await signIn(context, job, login);
      const page = await context.newPage();
      pages[login] = { page, wrong: watch(page, job) };
    }
    for (let p; (p = work.shift()); ) {
      const { page, wrong } = pages[p.as || ""];
      wrong.length = 0;
      await job.check(`page/${p.lang}/${p.kind}`, () => look(page, job, p, wrong));
    }
    for (const { page } of Object.values(pages)) await page.context().close();
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}

async function look(page, job, p, wrong) {
  await page.setViewportSize(phone);
  await open(page, job, p);
  const found = [...(await switches(page, job, p))];
  const told = job.languages.slice(0, 2).includes(p.lang);
  for (const size of told ? [phone, narrowest] : [narrowest]) {
    await page.setViewportSize(size);
    const wide = await overflow(page);
    if (wide) found.push(`at ${size.width} px the page is ${wide}`);
  }
  if (told) found.push(...(await heard(page, job, p)));
  found.push(...wrong);
  if (found.length) throw new Error(found.join("\n"));
}

// heard is what axe finds on a page of the first two languages.
async function heard(page, job, p) {
  const found = [];
  await page.evaluate(axe);
  if (p.lang === job.languages[0]) {
    await page.setViewportSize(phone);
    found.push(...(await findings(page, everything, "on a phone")));
    await page.emulateMedia({ colorScheme: "dark" });
    found.push(...(await findings(page, colours, "in the dark")));
    await page.emulateMedia({ colorScheme: "light" });
  } else {
    await page.setViewportSize(desk);
    await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
    found.push(...(await findings(page, everything, "on a desk")));
  }
  return found;
}

export async function findings(page, rules, where) {
  const { violations } = await page.evaluate((r) => axe.run(document, r), rules);
  return violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => {
    const why = n.any.concat(n.all, n.none).map((c) => c.message)[0] || "";
    return `${where}: ${v.id} (${v.help}) at ${n.target.join(" ")}: ${why}`;
  }));
}

// switches checks that the language switch stays on the page. An error page has
// no counterpart: it leads home.
async function switches(page, job, p) {
  const { links, here } = await page.evaluate(() => ({
    links: [...document.querySelectorAll(".langs a")].map((a) => [a.lang, a.getAttribute("href")]),
    here: location.pathname + location.search,
  }));
  const others = job.languages.filter((l) => l !== p.lang);
  if (links.length !== others.length) return [`the language switch has ${links.length} entries, want ${others.length}`];
  if (p.status >= 400) return [];
  const rest = here.replace(/^\/[a-z]+/, "").replace(/[?&]asked=[^&]*/, "").replace(/\/thanks$/, "").replace(/^(\/verify)\/code$/, p.form ? "$1" : "$&").replace(/\/offer$/, "");
  return links
    .filter(([l, href]) => decodeURIComponent(href.replaceAll("+", " ")) !== decodeURIComponent(`/${l}${rest}`.replaceAll("+", " ")))
    .map(([l, href]) => `the switch to ${l} leads to ${href}, not to /${l}${rest}`);
}
