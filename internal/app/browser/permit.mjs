// What people do on the way of a building permit, for the journeys that need one:
// each page on the way is looked at by axe.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { equal, holds, overflow } from "./page.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };

export const phone = { width: 360, height: 780 };
export const screen = { width: 1280, height: 900 };

// permit returns the steps of a journey through the pages of job.base.
export function permit(browser, job) {
  // look fails on what no page may have.
  async function look(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate((r) => axe.run(document, r), rules);
    const found = violations.map((v) => `${v.id} at ${v.nodes[0].html.slice(0, 120)}`);
    const wide = await overflow(page);
    if (wide) found.push(wide);
    if (found.length) throw new Error(`${page.url()}: ${found.join("; ")}`);
  }

  async function visitor(viewport) {
    const context = await browser.newContext({ viewport, locale: `${job.lang}-MA`, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    return page;
  }

  const at = (page, path) => page.goto(`${job.base}/${job.lang}${path}`);
  const step = async (page, click) => {
    await Promise.all([page.waitForNavigation(), click()]);
    await look(page);
  };
  const pathOf = (page) => new URL(page.url()).pathname;

  // signIn comes in by the provider of the demonstration, as people do.
  async function signIn(page, login) {
    await page.locator("main .btn").first().click();
    await page.locator(`button[value="${login}"]`).click();
    await page.waitForURL(`${job.base}/**`);
  }

  // mine opens a page of the person's space; the session of somebody whose clock was
  // turned has ended.
  async function mine(page, path) {
    await at(page, path);
    if (pathOf(page).includes("sign-in")) {
      await signIn(page, "salma.demo");
      await at(page, path);
    }
    await look(page);
  }

  // answers gives every question of a page an answer that fits.
  async function answer(page) {
    for (const kind of ["radio", "checkbox"]) {
      for (const set of await page.locator(`main fieldset:has(> label input[type=${kind}]), main fieldset:has(input[type=${kind}])`).all()) {
        if (!(await set.locator("input:checked").count())) await set.locator(`input[type=${kind}]`).first().check();
      }
    }
    for (const s of await page.locator("main select").all()) if (!(await s.inputValue())) await s.selectOption({ index: 1 });
    for (const f of await page.locator("main input[type=file]").all()) await f.setInputFiles(job.file);
    for (const i of await page.locator("main input.input:not([type=file]), main textarea").all()) {
      if (await i.inputValue()) continue;
      const name = await i.getAttribute("name");
      const fits = job.answers.find(([part]) => name.includes(part));
      await i.fill(fits ? fits[1] : job.words.text);
    }
  }

  // fetch has the property certificate fetched.
  const fetched = (page) => step(page, () => page.locator("button[value=fetch]").click());

  // apply fills in the form to its end and returns the number of the case. The property
  // certificate comes by the given way, and says the area that it says there.
  async function apply(page, login, { come = fetched, area = "850" } = {}) {
    await at(page, "/procedures/building-permit");
    await page.locator('main a[href*="/me/apply/"]').click();
    if (pathOf(page).includes("sign-in")) await signIn(page, login);
    await look(page);
    await page.locator("select[name=office]").selectOption({ index: 1 });
    await step(page, () => page.locator("main form button.btn-wide").click());
    let came = false;
    for (let n = 0; n < 40 && !pathOf(page).endsWith("/check"); n++) {
      const here = page.url();
      if (pathOf(page).includes("/evidence/")) {
        await come(page);
        holds((await page.locator("main dl").first().innerText()).includes(area), "the copy does not show the area of the land");
        came = true;
        await step(page, () => page.locator("button[value=use]").click());
        continue;
      }
      await answer(page);
      await step(page, () => page.locator("form.form button.btn-wide").click());
      holds(page.url() !== here, `stays on ${here}: ${await page.locator(".error-sum").allInnerTexts()}`);
    }
    holds(came, "the property certificate did not come");
    await step(page, () => page.locator("form.form button.btn-wide").click());
    return pathOf(page).split("/").pop();
  }

  const due = (page) => page.locator(".clock time").first().getAttribute("datetime");

  // sealed fetches a document that must be a sealed PDF.
  async function sealed(page, address, what) {
    const r = await page.request.get(address);
    equal(r.status(), 200, what);
    const b = await r.body();
    holds(b.subarray(0, 5).toString() === "%PDF-" && b.includes("ETSI.CAdES.detached"), `${what} is not sealed`);
  }

  // paper is a document about a case.
  const paper = (page, kind, number) => sealed(page, `${job.base}/${job.lang}/me/papers/${kind}/${number}.pdf`, `the ${kind}`);

  // officer signs in at the desk and opens a case.
  async function officer(page, login, number) {
    await page.context().clearCookies(); // as another day
    await at(page, "/office/sign-in");
    await page.locator(`form:has(input[value="${login}"]) button`).click();
    await page.waitForURL("**/office/cases");
    await look(page);
    await at(page, `/office/cases/${number}`);
    await look(page);
  }

  // act opens what can be done, fills it in and does it.
  async function act(page, what, words) {
    const fold = page.locator(`details:has(button[value="${what}"])`).first();
    await fold.evaluate((d) => (d.open = true));
    if (words) await fold.locator("textarea").fill(words);
    await step(page, () => fold.locator(`button[value="${what}"]`).click());
    equal(await page.locator(".error-sum").count(), 0, `${what}: ${await page.locator(".error-sum").allInnerTexts()}`);
  }

  // charge sets what a case costs, on its page at the desk.
  async function charge(page, amount, words) {
    const fold = page.locator('details:has(form[action$="/fee"])');
    await fold.evaluate((d) => (d.open = true));
    await fold.locator("[name=amount]").fill(amount);
    await fold.locator("[name=words]").fill(words);
    await step(page, () => fold.locator("button").click());
    equal(await page.locator(".error-sum").count(), 0, "the fee is refused");
  }

  // pay goes from the page of a case to the provider's, refuses there, tries again, and
  // comes back with a receipt.
  async function pay(page) {
    await step(page, () => page.locator('form[action$="/pay"] button').click());
    for (const [choice, tone] of [["refuse", "is-bad"], ["pay", "is-good"]]) {
      await step(page, () => page.locator('a.btn[rel="noreferrer"]').click());
      await step(page, () => page.locator(`button[value=${choice}]`).click());
      equal(await page.locator(`.page-head .tag.${tone}`).count(), 1, `the order after one chose to ${choice}`);
    }
    equal(await page.locator('a.btn[rel="noreferrer"]').count(), 0, "what is paid can be paid again");
    await sealed(page, `${page.url()}/receipt.pdf`, "the receipt of a payment");
  }

  // used waits until the person reads that their data were asked for: both gateways
  // report it a little later.
  async function used(page) {
    for (let n = 0; n < 60; n++) {
      await mine(page, "/me/data");
      if (await page.locator('form[action*="/me/data/"]').count()) return;
      await page.waitForTimeout(1000);
    }
    throw new Error("the page of who has used my data names no exchange");
  }

  const clock = (by) => fetch(`${job.base}/demo/clock`, { method: "POST", body: JSON.stringify({ advance: by }) }).then((r) => equal(r.status, 200, "turning the clock"));

  // decide prepares a decision and has another officer sign it.
  async function decide(number, what, words) {
    const desk = await visitor(screen);
    await officer(desk, "study.demo", number);
    await act(desk, "decision_prepared", words);
    const signer = await visitor(screen);
    await officer(signer, "sign.demo", number);
    await signer.locator('details:has(a[href*="/confirm"])').last().evaluate((d) => (d.open = true));
    await signer.locator('details[open] a[href*="/confirm"]').first().click();
    await look(signer);
    await signer.locator('main form[action*="/confirm"] button').first().click();
    await signer.waitForURL(`**/office/cases/${number}*`);
    await act(signer, what, words);
    return signer;
  }

  return { look, visitor, at, step, signIn, mine, apply, due, paper, officer, act, charge, pay, used, clock, decide };
}

// tell says what went wrong, with the pages that are open.
export async function tell(browser, e) {
  console.error(String(e.message || e).replace(/\x1b\[[0-9;]*m/g, ""));
  for (const c of browser.contexts()) for (const p of c.pages()) console.error(`${p.url()}\n${await p.locator("main").innerText()}`);
  process.exitCode = 1;
}
