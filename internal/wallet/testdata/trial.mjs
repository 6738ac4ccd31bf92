// The wallet in a browser, against an issuer and a verifier: from the first start to a backup on another device. Reads what
// it is told as JSON on its standard input and answers a line for each check.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { stdin } from "node:process";

let text = "";
for await (const c of stdin) text += c;
const job = JSON.parse(text);
const require = createRequire(job.modules + "/");
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core");

const say = (name, error = "") => console.log(JSON.stringify({ name, error }));
const ensure = (ok, why) => { if (!ok) throw new Error(why); };
const get = async (path) => {
  const r = await fetch(job.base + path);
  if (!r.ok) throw new Error(path + ": " + (await r.text()));
  return r.json();
};

const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--force-prefers-reduced-motion"] });
const wrong = [];
async function device(locale, width = 390) {
  const context = await browser.newContext({ locale, viewport: { width, height: 844 }, acceptDownloads: true, bypassCSP: false });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("pageerror", (e) => wrong.push("script: " + e.message));
  page.on("console", (m) => m.type() === "error" && !/Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(m.text()) && wrong.push("console: " + m.text()));
  return { context, page };
}
const shot = async (page, name) => {
  if (!job.shots) return;
  mkdirSync(job.shots, { recursive: true });
  await page.screenshot({ path: `${job.shots}/${name}.png`, fullPage: true });
};
const idle = async (page) => {
  await page.waitForTimeout(100);
  await page.waitForFunction(() => document.querySelector("main .wallet h1") && !document.querySelector("main[aria-busy]") && !document.querySelector("form[aria-busy]"));
};

// Checked in a frameless copy of the page's own world, since the security policy lets nothing be injected.
async function accessible(page, where) {
  const cdp = await page.context().newCDPSession(page);
  const { readFileSync } = await import("node:fs");
  await cdp.send("Runtime.evaluate", { expression: readFileSync(axe, "utf8") + ";0" });
  const r = await cdp.send("Runtime.evaluate", { expression: "axe.run(document,{runOnly:['wcag2a','wcag2aa','wcag21aa','wcag22aa']}).then(r=>JSON.stringify(r.violations.map(v=>v.id+': '+v.nodes.map(n=>n.target+' '+n.failureSummary).join(' | '))))", awaitPromise: true });
  const list = JSON.parse(r.result.value ?? "[]");
  ensure(list.length === 0, where + ": " + list.join("\n"));
  await page.setViewportSize({ width: 320, height: 700 });
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const wide = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((e) => { const r = e.getBoundingClientRect(); return r.right > innerWidth + 1 || r.left < -1; }).map((e) => e.tagName + "." + e.className).slice(0, 5).join(" "));
  await page.setViewportSize({ width: 390, height: 844 });
  ensure(over <= 0, where + ": stands out of 320 pixels by " + over + ": " + wide);
}

const steps = [];
const step = (name, run) => steps.push([name, run]);
let one, link, code, document_, file;

step("first start, in Arabic", async () => {
  one = await device("ar-MA");
  await one.page.goto(job.base + "/wallet/");
  await idle(one.page);
  ensure((await one.page.getAttribute("html", "dir")) === "rtl", "direction");
  await accessible(one.page, "start");
  await shot(one.page, "start-ar");
  await one.page.check("input[value=passphrase]");
  await one.page.fill("#passphrase", "seven green lamps");
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector(".empty");
  await accessible(one.page, "home, empty");
});

step("a device needs a signed-in person", async () => {
  await one.page.goto(job.base + "/wallet/#/device");
  await idle(one.page);
  await one.page.fill("#name", "My phone");
  await Promise.all([one.page.waitForResponse(/me\/wallets\/open/), one.page.click("form.form button[type=submit]")]);
  await one.page.waitForLoadState();
  await idle(one.page);
  await one.context.addCookies([{ name: "who", value: "salma", url: job.base }]);
  await one.page.fill("#name", "My phone");
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector("main dl.pairs");
  await accessible(one.page, "device");
});

step("an offer: wrong code, right code", async () => {
  const o = await get("/test/offer/one/building-permit");
  ({ code, document: document_ } = o);
  link = o.link;
  await one.page.goto(job.base + "/wallet/?" + link.split("?")[1]);
  await one.page.waitForSelector("#tx");
  ensure(!(await one.page.url()).includes("credential_offer"), "the code stays in the address");
  await accessible(one.page, "offer");
  await shot(one.page, "offer-ar");
  await one.page.fill("#tx", code === "000000" ? "000001" : "000000");
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector("[role=alert]");
  await shot(one.page, "offer-wrong-ar");
  await one.page.fill("#tx", code);
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector("main section.card dl.pairs");
  ensure((await one.page.textContent("main")).includes("12345/06"), "what the document says");
  await accessible(one.page, "document");
  await shot(one.page, "document-ar");
  await one.page.goto(job.base + "/wallet/#/");
  await one.page.waitForSelector(".docs .tag.is-good");
  await accessible(one.page, "home");
  await shot(one.page, "home-ar");
});

step("the offer is dead afterwards", async () => {
  await one.page.goto(job.base + "/wallet/?" + link.split("?")[1]);
  await one.page.waitForSelector("[role=alert]");
});

const ask = async (page, claims = "holder,land_title") => {
  const { link: l } = await get("/test/ask/" + encodeURIComponent(job.type) + "/" + claims);
  await page.goto(l);
  await idle(page);
};

step("a request, refused", async () => {
  await ask(one.page);
  await one.page.waitForSelector("main .who");
  await accessible(one.page, "request");
  await shot(one.page, "request-ar");
  await one.page.click(".actions .btn-2");
  await one.page.waitForURL(/bank\/done/);
  const got = await get("/test/got");
  ensure(got.error === "access_denied", JSON.stringify(got));
});

const places = [];
step("a request, answered twice by different copies", async () => {
  for (let i = 0; i < 2; i++) {
    await ask(one.page);
    await one.page.click("form.form button[type=submit]");
    await one.page.waitForURL(/bank\/done/);
    const got = await get("/test/got");
    ensure(got.claims?.holder && got.claims.land_title === "12345/06" && got.disclosed === 2, JSON.stringify(got));
    places.push(got.place);
  }
  ensure(places[0] !== places[1], "the same copy was shown twice");
  await one.page.goto(job.base + "/wallet/#/history");
  await idle(one.page);
  ensure((await one.page.locator("main li.card").count()) === 3, "history");
  await accessible(one.page, "history");
  await shot(one.page, "history-ar");
});

step("what was not asked for can't be answered", async () => {
  await ask(one.page, "nothing_of_the_kind");
  await one.page.waitForSelector("main .notice.is-bad");
});

step("by the issuer's own pages", async () => {
  await one.page.goto(job.base + "/wallet/#/add");
  await one.page.waitForSelector("li.ask");
  await accessible(one.page, "add");
  await shot(one.page, "add-ar");
  const n = await one.page.locator("li.ask").count();
  for (let i = 0; i < n; i++) if ((await one.page.locator("li.ask").nth(i).textContent()).includes(job.name)) {
    await one.page.locator("li.ask").nth(i).locator("button").click();
    break;
  }
  await one.page.waitForURL(/#\/documents\//);
  await idle(one.page);
});

step("a photo of a code, where the browser reads none", async () => {
  const { link: l } = await get("/test/ask/" + encodeURIComponent(job.type) + "/holder");
  const photo = Buffer.from(await (await fetch(job.base + "/test/photo?text=" + encodeURIComponent(l))).arrayBuffer());
  await one.page.goto(job.base + "/wallet/#/add");
  await one.page.waitForSelector("#scan-photo");
  if (await one.page.evaluate(() => "BarcodeDetector" in window)) return;
  const blank = Buffer.from(await (await fetch(job.base + "/test/photo?text=x")).arrayBuffer());
  await one.page.setInputFiles("#scan-photo", { name: "photo.png", mimeType: "image/png", buffer: blank });
  await one.page.waitForFunction(() => document.querySelector("#scan-photo ~ [role=status]").textContent.length > 12);
  await one.page.setInputFiles("#scan-photo", { name: "photo.png", mimeType: "image/png", buffer: photo });
  await one.page.waitForSelector("main .who");
});

step("a licence as mdoc", async () => {
  const o = await get("/test/offer/two/driving-licence");
  await one.page.goto(job.base + "/wallet/?" + o.link.split("?")[1]);
  await one.page.waitForSelector("#tx");
  await one.page.fill("#tx", o.code);
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForURL(/#\//);
  await one.page.waitForSelector("main section.card dl.pairs, .docs li:nth-child(3)");
  await one.page.goto(job.base + "/wallet/#/");
  await one.page.waitForFunction(() => document.querySelectorAll(".docs li").length >= 3 && !document.querySelector(".docs .is-turn"));
});

// What a licence says stands in words: each category with its days, the portrait as a picture.
async function told(page, where, portrait) {
  const main = page.locator("main"), text = await main.innerText();
  for (const w of job.words) ensure(text.includes(w), `${where}: lacks ${w}`);
  ensure(!/vehicle_category_code|[{[]"|_9j_|base64/.test(text), where + ": not in words: " + text);
  ensure((await main.locator("dd ul > li dl").count()) === 2, where + ": the categories are not told one by one");
  ensure((await main.locator("dd ul > li:nth-child(2) dl dd").first().innerText()) === "B", where + ": the category does not come first");
  if (portrait) ensure(await main.locator("img.portrait").evaluate((i) => i.complete && i.naturalWidth === 210 && i.alt !== ""), where + ": no portrait");
}

step("the licence in words, in both formats", async () => {
  const n = await one.page.locator(".docs li").count();
  let found = 0;
  for (let i = 0; i < n; i++) {
    await one.page.goto(job.base + "/wallet/#/");
    await one.page.waitForFunction((n) => document.querySelectorAll(".docs > li").length === n, n);
    ensure(!/vehicle_category_code|_9j_|base64/.test(await one.page.locator(".docs").innerText()), "a card that is not in words");
    const card = one.page.locator(".docs > li").nth(i);
    if (!(await card.innerText()).includes(job.licence)) continue;
    found++;
    await card.locator("footer a").click();
    await one.page.waitForSelector("main section.card dl.pairs");
    await idle(one.page);
    await told(one.page, "document " + i, true);
    await accessible(one.page, "licence");
    await shot(one.page, "licence-ar-" + found);
  }
  ensure(found === 2, found + " licences");
});

step("the categories are asked for", async () => {
  const { link: l } = await get("/test/ask/org.iso.18013.5.1.mDL/driving_privileges,portrait");
  await one.page.goto(l);
  await one.page.waitForSelector("main .who");
  await told(one.page, "the request", true);
  await accessible(one.page, "request of a list");
  await shot(one.page, "ask-list-ar");
});

step("the mdoc, shown", async () => {
  const { link: l } = await get("/test/ask/org.iso.18013.5.1.mDL/family_name,age_over_18");
  await one.page.goto(l);
  await one.page.waitForSelector("main .who");
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForURL(/bank\/done/);
  const got = await get("/test/got");
  ensure(JSON.stringify(got.elements) === JSON.stringify({ "org.iso.18013.5.1": { age_over_18: true, family_name: "EL MITAL" } }), JSON.stringify(got));
});

step("several documents in one answer", async () => {
  await ask(one.page, "several,holder");
  const boxes = one.page.locator("main .who ~ *, main form.form").locator("input[type=checkbox][name^=which]");
  ensure((await boxes.count()) === 2, "choices: " + (await boxes.count()));
  await accessible(one.page, "request of several");
  await boxes.nth(0).uncheck();
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector("[role=alert]");
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForURL(/bank\/done/);
  ensure((await get("/test/got")).shown === 2, "both are shown");
});

step("a document that is not ready yet", async () => {
  await get("/test/prepare/three/vehicle-registration");
  await one.page.goto(job.base + "/wallet/#/");
  await idle(one.page);
  const id = await one.page.evaluate(async (type) => {
    const root = document.querySelector("script[type=module]").src, { issuer } = await import(root.replace("main.js", "receive.js")), { settings } = await import(root.replace("main.js", "state.js"));
    const from = await issuer((await settings()).issuer);
    return Object.entries(from.metadata.credential_configurations_supported).findIndex(([k]) => k.startsWith(type));
  }, "vehicle-registration");
  await one.page.goto(job.base + "/wallet/#/add");
  await one.page.waitForSelector("li.ask");
  await one.page.locator("li.ask").nth(id).locator("button").click();
  await one.page.waitForSelector("section li.card .tag.is-wait");
  await accessible(one.page, "waiting");
  await shot(one.page, "waiting-ar");
  const before = await one.page.locator(".docs > li").count();
  await one.page.click("section li.card .act button");
  await one.page.waitForFunction(() => !document.querySelector("button[aria-busy]"));
  await get("/test/settle");
  await one.page.goto(job.base + "/wallet/#/");
  await idle(one.page);
  await one.page.click("section li.card .act button");
  await one.page.waitForURL(/#\/documents\//);
  await idle(one.page);
  await one.page.click("main .actions .btn-2");
  await accessible(one.page, "deleting");
  await one.page.click("dialog .act button");
  await one.page.waitForSelector(".docs li");
  ensure((await one.page.locator(".docs > li").count()) === before, "it was not deleted");
});

step("a code wrong too often", async () => {
  const o = await get("/test/offer/four/building-permit"), says = (k) => one.page.evaluate(async (key) => (await import(document.querySelector("script[type=module]").src.replace("main.js", "words.js"))).t(key), k);
  await one.page.goto(job.base + "/wallet/?" + o.link.split("?")[1]);
  await one.page.waitForSelector("#tx");
  const dead = await says("error.code_dead");
  for (let i = 0; i < 12; i++) {
    await one.page.fill("#tx", o.code === "000000" ? "000001" : "000000");
    await one.page.click("form.form button[type=submit]");
    await one.page.waitForFunction(() => document.querySelector("[role=alert]") && !document.querySelector("form[aria-busy]"));
    if ((await one.page.textContent("[role=alert]")).includes(dead)) return;
  }
  throw new Error("it never dies");
});

step("without a network", async () => {
  await one.page.goto(job.base + "/wallet/#/");
  await one.page.waitForFunction(() => navigator.serviceWorker.controller);
  await one.context.setOffline(true);
  await one.page.reload();
  await one.page.waitForSelector(".docs li");
  await one.page.click(".docs a.btn");
  await one.page.waitForSelector("main section.card dl.pairs");
  await one.context.setOffline(false);
});

step("a backup, restored on another device", async () => {
  await one.page.goto(job.base + "/wallet/#/backup");
  await one.page.waitForSelector("#passphrase");
  await accessible(one.page, "backup");
  await one.page.fill("#passphrase", "wrong but long enough");
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector("[role=alert]");
  await one.page.fill("#passphrase", "seven green lamps");
  const [download] = await Promise.all([one.page.waitForEvent("download"), one.page.click("form.form button[type=submit]")]);
  file = await download.path();
  const two = await device("fr-MA");
  await two.page.goto(job.base + "/wallet/#/restore");
  await two.page.waitForSelector("#file");
  await accessible(two.page, "restore");
  await two.page.setInputFiles("#file", file);
  await two.page.click("form.form button[type=submit]");
  await two.page.waitForSelector("#passphrase");
  await two.page.fill("#passphrase", "seven green lamps");
  await two.page.click("form.form button[type=submit]");
  await two.page.waitForSelector(".docs li");
  await shot(two.page, "home-fr");
  await ask(two.page);
  await two.page.waitForSelector("main .who");
  await shot(two.page, "request-fr");
  await two.page.click("form.form button[type=submit]");
  await two.page.waitForURL(/bank\/done/);
  const got = await get("/test/got");
  ensure(got.claims?.land_title === "12345/06", JSON.stringify(got));
  for (const at of ["settings", "paper", "add"]) {
    await two.page.goto(job.base + "/wallet/#/" + at);
    await idle(two.page);
    await accessible(two.page, at);
    await shot(two.page, at + "-fr");
  }
  for (const lang of ["ar", "zgh", "en", "fr"]) {
    await two.page.goto(job.base + "/wallet/#/");
    await idle(two.page);
    await two.page.click(`.lang[lang=${lang}]`);
    await two.page.waitForFunction((l) => document.documentElement.lang === l, lang);
    await idle(two.page);
    await accessible(two.page, "home in " + lang);
    await shot(two.page, "home-" + lang + "-2");
  }
  await two.page.goto(job.base + "/wallet/#/paper");
  await two.page.fill("#code", "DW1:ABC");
  await two.page.click("form.form button[type=submit]");
  await two.page.waitForSelector(".notice.is-bad");
});

step("protected by a passkey", async () => {
  const three = await device("en-GB"), cdp = await three.context.newCDPSession(three.page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", { options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, hasPrf: true } });
  await three.page.goto(job.base.replace("127.0.0.1", "localhost") + "/wallet/");
  await idle(three.page);
  await three.page.check("input[value=passkey]");
  await three.page.click("form.form button[type=submit]");
  await three.page.waitForSelector(".empty");
  await three.page.goto(job.base.replace("127.0.0.1", "localhost") + "/wallet/#/backup");
  const [download] = await Promise.all([three.page.waitForEvent("download"), three.page.click("form.form button[type=submit]")]);
  await three.page.goto(job.base.replace("127.0.0.1", "localhost") + "/wallet/#/settings");
  await idle(three.page);
  await three.page.click("button:has-text('Erase the wallet')");
  await three.page.click("dialog .act button");
  await three.page.waitForSelector("input[value=passkey]");
  await three.page.goto(job.base.replace("127.0.0.1", "localhost") + "/wallet/#/restore");
  await three.page.setInputFiles("#file", await download.path());
  await three.page.click("form.form button[type=submit]");
  await three.page.waitForSelector(".empty");
});

step("a code on paper", async () => {
  const { code: c } = await get("/test/code/" + places[0]);
  await one.page.goto(job.base + "/wallet/#" + encodeURIComponent(c));
  await one.page.waitForSelector(".notice.is-good h2");
  await accessible(one.page, "paper");
  await shot(one.page, "paper-ar");
  await one.context.setOffline(true);
  await one.page.fill("#code", c);
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector(".notice.is-good h2");
  await one.page.fill("#code", c.slice(0, 60) + (c[60] === "A" ? "B" : "A") + c.slice(61));
  await one.page.click("form.form button[type=submit]");
  await one.page.waitForSelector(".notice.is-bad h2");
  await one.context.setOffline(false);
});

step("suspended, then revoked: never shown", async () => {
  for (const [to, n] of [["suspended", 1], ["revoked", 1]]) {
    await get(`/test/status/${document_}/${to}`);
    await new Promise((r) => setTimeout(r, 3500));
    await one.page.goto(job.base + "/wallet/#/settings");
    await idle(one.page);
    await one.page.click("section .btn-s");
    await one.page.waitForFunction(() => !document.querySelector("button[aria-busy]"));
    await one.page.goto(job.base + "/wallet/#/");
    await one.page.waitForSelector(".doc.off");
    ensure((await one.page.locator(".doc.off").count()) >= n, to);
    await accessible(one.page, to);
    await shot(one.page, to + "-ar");
  }
  // The document that came by the issuer's own pages is a copy of the same one, and as revoked.
  await ask(one.page);
  await one.page.waitForSelector("main .notice.is-bad");
});

step("the lost device", async () => {
  await one.page.goto(job.base + "/ar/me/wallets");
  await shot(one.page, "devices-ar");
  ensure(!/\b0\b/.test(await one.page.textContent("main li dl div:nth-child(2) dd")), "documents are not tied to the device");
  await one.page.click("summary");
  await one.page.click("form button");
  await one.page.waitForSelector(".notice.is-good");
});

let failed = false;
for (const [name, run] of steps) {
  try {
    await run();
    say(name);
  } catch (e) {
    failed = true;
    await shot(one.page, "failed").catch(() => {});
    say(name, e.message + "\n" + (await one.page.textContent("main").catch(() => "")).slice(0, 600) + "\n" + wrong.join("\n"));
    break;
  }
}
if (!failed) say("nothing wrong on the console", wrong.join("\n"));
await browser.close();
