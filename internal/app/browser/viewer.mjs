// The pages in which officers look into the log of a gateway: each, on a phone and on
// a desk, in two languages, one of each direction. It reads {base, chromium, codes,
// request, shots} as JSON on standard input and answers one line of JSON a check, as
// run.mjs does. base is where the viewer is, codes hold a sign-in code a language,
// request is an exchange that is in the log, shots a folder for pictures.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { axe, colours, desk, everything, findings, narrowest, phone } from "./audit.mjs";
import { holds, overflow, watch } from "./page.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });

async function check(name, run) {
  const line = { name };
  try {
    await run();
  } catch (e) {
    line.error = String(e.message || e).replace(/\x1b\[[0-9;]*m/g, "");
  }
  process.stdout.write(JSON.stringify(line) + "\n");
}

// look examines the page that is open.
async function look(page, wrong, name) {
  const found = [];
  for (const size of [narrowest, phone]) {
    await page.setViewportSize(size);
    const wide = await overflow(page);
    if (wide) found.push(`at ${size.width} px the page is ${wide}`);
  }
  if (job.shots) await page.screenshot({ path: `${job.shots}/${name}-phone.png`, fullPage: true });
  await page.evaluate(axe);
  found.push(...(await findings(page, everything, "on a phone")));
  await page.emulateMedia({ colorScheme: "dark" });
  found.push(...(await findings(page, colours, "in the dark")));
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(desk);
  if (job.shots) await page.screenshot({ path: `${job.shots}/${name}-desk.png`, fullPage: true });
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => (d.open = true)));
  found.push(...(await findings(page, everything, "on a desk")), ...wrong);
  holds(found.length === 0, found.join("\n"));
}

async function visit(lang) {
  const context = await browser.newContext({ viewport: phone, reducedMotion: "reduce" });
  const page = await context.newPage();
  const wrong = watch(page, { base: new URL(job.base).origin });
  const at = (path) => `${job.base}${lang}/${path}`;
  const step = (name, go) =>
    check(`viewer/${lang}/${name}`, async () => {
      wrong.length = 0;
      await page.setViewportSize(phone);
      await go();
      await look(page, wrong, `${lang}-${name}`);
    });
  const press = (form) => Promise.all([page.waitForEvent("load"), page.locator(`${form} button[type=submit]`).click()]);
  const enter = async (code) => {
    await page.fill("#code", code);
    await press("main form");
  };

  await step("sign-in", async () => {
    await page.goto(at(""));
    holds(page.url() === at("sign-in"), `without a session one is at ${page.url()}`);
  });
  await step("wrong-code", async () => {
    await enter("NOTACODE");
    holds((await page.locator("[role=alert]").count()) === 1, "a wrong code is not refused in words");
  });
  await step("search", async () => {
    await enter(job.codes[lang]);
    holds(page.url() === at(""), `after signing in one is at ${page.url()}`);
  });
  await step("nothing-found", async () => {
    await page.fill("#request", "00000000-0000-4000-8000-000000000000");
    await press("main form");
    holds((await page.locator("main table").count()) === 0, "something was found");
  });
  await step("results", async () => {
    await page.fill("#request", "");
    await press("main form");
    holds((await page.locator("main tbody tr").count()) > 0, "nothing was found");
  });
  await step("exchange", async () => {
    // The log takes a moment to be signed and witnessed up to here.
    for (let i = 0; i < 60; i++) {
      await page.goto(at(`exchanges/${job.request}`));
      if ((await page.locator(".notice.is-wait").count()) === 0) break;
      await page.waitForTimeout(1000);
    }
    holds((await page.locator(".notice.is-good").count()) === 1, "the exchange is not shown as proven");
  });
  await step("language", async () => {
    const other = await page.locator(".langs a").first().getAttribute("href");
    await page.goto(new URL(other, page.url()).href);
    holds(page.url().endsWith(`/exchanges/${job.request}`), `the other language leads to ${page.url()}`);
  });
  await step("unknown", async () => {
    const answer = await page.goto(at("exchanges/00000000-0000-4000-8000-000000000000"));
    holds(answer.status() === 404, `status ${answer.status()}`);
  });
  await step("verification", async () => {
    await page.goto(at("verification"));
    await press("main form");
    holds((await page.locator(".notice.is-good").count()) === 1, "the journal is not shown as whole");
  });
  await step("signed-out", async () => {
    await press(".foot form");
    await page.goto(at("verification"));
    holds(page.url() === at("sign-in"), `after signing out one is at ${page.url()}`);
  });
  await context.close();
}

try {
  for (const lang of Object.keys(job.codes)) await visit(lang);
} finally {
  await browser.close();
}
