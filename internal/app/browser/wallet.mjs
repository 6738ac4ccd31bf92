// A building permit is asked for with the property certificate out of the person's
// wallet, on the same phone. Granted, it becomes a document itself: decided in casework, received in the wallet on
// a phone, shown to a bank with two fields, accepted; revoked by the officer, and then
// refused for the right reason. The same with a driving licence as an ISO mdoc.
// It reads {base, chromium, lang, file, words, print, kit} as JSON on standard input, writes
// the printed permit to print and what to check it with offline to kit, and says what went wrong on standard error.
import { readFileSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { equal, holds } from "./page.mjs";
import { permit, phone, screen, tell } from "./permit.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const { visitor, at, look, mine, apply, step, officer, decide } = permit(browser, job);

// wallet is a phone with the wallet of the portal, set up in the journey's language.
async function wallet(context) {
  context ??= await browser.newContext({ viewport: phone, locale: `${job.lang}-MA`, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  await page.goto(`${job.base}/wallet/`);
  await page.locator("main .wallet h1").waitFor();
  await page.check("input[value=none]").catch(() => page.check("input[value=passphrase]"));
  if (await page.locator("#passphrase").isVisible().catch(() => false)) await page.fill("#passphrase", "seven green lamps");
  await page.click("form.form button[type=submit]");
  await page.locator(".empty").waitFor();
  return page;
}

// receive takes an offer that the person's page shows.
async function receive(page, link, code) {
  await page.goto(new URL(link, job.base).href);
  await page.fill("#tx", code);
  await page.click("form.form button[type=submit]");
  await page.locator("main section.card dl.pairs, main .docs .tag").first().waitFor();
}

// offered receives a document of a sample register.
async function offered(page, type) {
  const o = await (await fetch(`${job.base}/demo/offers`, { method: "POST", body: JSON.stringify({ type }) })).json();
  await receive(page, `/wallet/?${o.offer.split("?")[1]}`, o.tx_code);
  return o;
}

// shownHere answers the page of an application with the wallet of the same phone, and is
// led back to it.
async function shownHere(page) {
  await step(page, () => page.locator("button[value=wallet-here]").click());
  await page.locator('main a[href^="/wallet/?"]').click();
  await page.locator("main .who").waitFor();
  await look(page);
  await page.click("form.form button[type=submit]");
  await page.locator("button[value=use]").waitFor();
  await look(page);
}

// checked has the printed page checked by the portal, and returns the verdict's colour.
async function checked(page) {
  await at(page, "/verify");
  await page.locator("#vf").setInputFiles(job.print);
  await step(page, () => page.locator('form[action$="/verify/check"] button').click());
  return page.locator("main .notice, main .verdict").first().getAttribute("class");
}

// show has a verifier ask by a template, on its page, and the wallet answer.
async function show(page, template) {
  const begun = await (await fetch(`${job.base}/api/v1/verifications`, { method: "POST", body: JSON.stringify({ template }) })).json();
  await page.goto(`${job.base}/wallet/?${begun.link.split("?")[1]}`);
  await page.locator("main .who").waitFor();
  await page.click("form.form button[type=submit]");
  for (let n = 0; n < 60; n++) {
    const got = await (await fetch(begun.status_url)).json();
    if (got.state !== "waiting" && got.state !== "fetched") return got;
    await new Promise((r) => setTimeout(r, 250));
  }
  throw new Error(`nothing was answered to ${template}`);
}

// reach waits as long as a demonstration's status list may be kept: then a revocation
// has reached every verifier.
const reach = () => new Promise((r) => setTimeout(r, 12000));

const claimsOf = (got) => JSON.stringify(Object.keys(Object.values(got.claims ?? {})[0] ?? {}).sort());

try {
  const citizen = await visitor(phone);
  const own = await wallet(citizen.context());
  const certificate = await offered(own, "property-certificate");
  await own.close();
  const number = await apply(citizen, "salma.demo", { come: shownHere, area: "220" });
  await decide(number, "granted", job.words.reason);
  await mine(citizen, `/me/cases/${number}`);
  const decided = `main a[href*="/me/documents/"]:not([href*="${certificate.document}"])`;
  let made = 0;
  for (let n = 0; n < 40 && !made; n++) {
    await at(citizen, "/me/documents");
    made = await citizen.locator(decided).count();
    if (!made) await citizen.waitForTimeout(500);
  }
  holds(made === 1, "the decision gave no document");
  await look(citizen);
  await step(citizen, () => citizen.locator(decided).click());
  const document = new URL(citizen.url()).pathname.split("/").pop();
  const printed = await citizen.request.get(`${citizen.url()}/paper`);
  equal(printed.status(), 200, "the paper form");
  writeFileSync(job.print, await printed.body());
  writeFileSync(job.kit, await (await fetch(`${job.base}/en/verify/kit`)).text());
  holds((await checked(citizen)).includes("is-good"), "the printed permit is not accepted");
  await at(citizen, `/me/documents/${document}`);
  await step(citizen, () => citizen.locator('form[action$="/offer"] button').click());
  const code = (await citizen.locator("#tx-code").innerText()).trim();
  const link = await citizen.locator("#open-here").getAttribute("href");

  const holder = await wallet();
  await receive(holder, link, code);
  const first = await show(holder, "permit-loan");
  equal(first.state, "accepted", `the permit: ${JSON.stringify(first.reasons)}`);
  equal(claimsOf(first), '["holder","land_title"]', "what the bank sees");

  const officers = await visitor(screen);
  await officer(officers, "sign.demo", number);
  await at(officers, `/office/documents/${document}`);
  await look(officers);
  const fold = officers.locator('details:has(button[value="revoke"])');
  await fold.evaluate((d) => (d.open = true));
  await fold.locator("textarea").fill(job.words.reason);
  await step(officers, () => fold.locator('button[value="revoke"]').click());
  await mine(citizen, `/me/documents/${document}`);
  holds((await citizen.locator("main").innerText()).includes(job.words.reason), "the person does not read why");

  await reach();
  // A holder who keeps quiet about it is found out by the verifier: this wallet has not
  // asked for the status again, since it is told that it is offline for that.
  await holder.route("**/status/**", (r) => r.abort());
  const second = await show(holder, "permit-loan");
  equal(JSON.stringify([second.state, second.reasons]), '["refused",["revoked"]]', "the permit after it was revoked");

  holds((await checked(citizen)).includes("is-bad"), "the printed permit is accepted after it was revoked");

  const o = await offered(holder, "driving-licence");
  const licence = await show(holder, "driver");
  equal(licence.state, "accepted", `the licence: ${JSON.stringify(licence.reasons)}`);
  equal(licence.documents[0].document.form, "mso_mdoc", "the form of the licence");
  await fetch(`${job.base}/demo/revoke`, { method: "POST", body: JSON.stringify({ document: o.document }) }).then((r) => equal(r.status, 200, "revoking"));
  await reach();
  const after = await show(holder, "driver");
  equal(JSON.stringify([after.state, after.reasons]), '["refused",["revoked"]]', "the licence after it was revoked");
} catch (e) {
  await tell(browser, e);
} finally {
  await browser.close();
}
