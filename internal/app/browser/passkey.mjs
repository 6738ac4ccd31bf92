// An officer adds a passkey, signs in with it and confirms with it, against a whole
// demonstration and with an authenticator of the browser's own. Every page on the way is
// looked at by axe. It reads {base, chromium, lang, words} as JSON on standard input, and
// says what went wrong on standard error.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { holds } from "./page.mjs";
import { permit, screen, tell } from "./permit.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const numeric = permit(browser, job);
const base = job.base.replace("127.0.0.1", "localhost");
const { visitor, at, look, step } = permit(browser, { ...job, base });
const office = (page, path) => at(page, `/office${path}`);
const arrived = (page, path) => page.waitForURL((u) => u.pathname === `/${job.lang}/office${path}`);
const enter = async (page) => {
  await page.locator('form:has(input[value="sign.demo"]) button').click();
  await page.waitForURL((u) => !u.pathname.includes("sign-in"));
};

try {
  // At an address by number the page says where passkeys work, and offers none.
  const lost = await numeric.visitor(screen);
  await numeric.at(lost, "/office/sign-in");
  await numeric.look(lost);
  holds(await lost.locator(`a[href="${base}/${job.lang}/office/sign-in"]`).count(), "the way to where passkeys work is not shown");
  holds(!(await lost.locator("form[data-passkey]").count()), "a passkey is asked for where there is none");

  const page = await visitor(screen);
  const authenticator = await page.context().newCDPSession(page);
  await authenticator.send("WebAuthn.enable");
  const { authenticatorId } = await authenticator.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await office(page, "/sign-in");
  await enter(page);
  await office(page, "/security");
  await look(page);
  await page.locator("#name").fill(job.words.text);
  await page.locator("form[data-passkey=make] button").click();
  await page.waitForURL("**/office/security?changed=1");
  await look(page);
  holds((await page.locator("main h3").innerText()) === job.words.text, "the key is not listed by its name");

  await step(page, () => page.locator('form[action$="/office/sign-out"] button').click());
  await office(page, "/sign-in?to=/office/security");
  await page.locator("form[data-passkey=use] button").click();
  await arrived(page, "/security");

  // Whoever has a key confirms with it, and with nothing less.
  await office(page, "/confirm?to=/office/security");
  await look(page);
  holds(!(await page.locator('form[action$="/confirm/sample"]').count()), "a sample account's word is taken in place of its key");
  await authenticator.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.locator("form[data-passkey=use] button").click();
  await page.waitForFunction(() => document.querySelector("form[data-passkey] [role=alert]").textContent !== "");
  await authenticator.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.locator("form[data-passkey=use] button").click();
  await arrived(page, "/security");
  await step(page, () => page.locator('form[action*="/remove"] button').click());
  holds(!(await page.locator('form[action*="/remove"]').count()), "the key is still there");
} catch (e) {
  await tell(browser, e);
} finally {
  await browser.close();
}
