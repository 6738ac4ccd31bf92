// What people come to do, from the first page to the answer.
import { equal, holds, open, signIn, watch } from "./page.mjs";

const phone = { width: 360, height: 780 };

// visit runs a journey in a context of its own and fails on anything that no
// page may do.
async function visit(browser, job, options, run) {
  const context = await browser.newContext({ viewport: phone, reducedMotion: "reduce", ...options });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    const wrong = watch(page, job);
    const note = await run(page, context);
    if (wrong.length) throw new Error(wrong.join("\n"));
    return note;
  } finally {
    await context.close();
  }
}

const noScript = { javaScriptEnabled: false };

export async function journeys(browser, job) {
  const of = (kind, lang) => job.pages.find((p) => p.kind === kind && p.lang === lang);
  for (const [lang, words] of Object.entries(job.words.newcomer)) {
    await job.check(`journey/newcomer/${lang}`, () => visit(browser, job, noScript, (page) => newcomer(page, job, lang, words)));
  }
  await job.check("journey/language switch", () => visit(browser, job, noScript, (page) => languageSwitch(page, job, of("procedure", "ar"))));
  await job.check("journey/decision path", () => visit(browser, job, noScript, (page) => decisionPath(page, job, of("path question", "ar"))));
  await job.check("journey/feedback", () => visit(browser, job, noScript, (page) => feedback(page, job, of("procedure", "fr"))));
  await job.check("journey/filters", () => visit(browser, job, noScript, (page) => filters(page, job, of("search", "fr"))));
  await job.check("journey/keyboard", () => visit(browser, job, {}, (page) => keyboard(page, job)));
  await job.check("journey/focus is seen", () => visit(browser, job, {}, (page) => focusSeen(page, job, of("procedure", "ar"))));
  await job.check("journey/suggestions", () => visit(browser, job, {}, (page) => suggestions(page, job)));
  await job.check("journey/large text", () => visit(browser, job, {}, (page) => largeText(page, job, of("procedure", "fr"))));
  for (const lang of ["ar", "fr"]) {
    await job.check(`journey/print/${lang}`, () => visit(browser, job, {}, (page) => print(page, job, of("procedure", lang))));
  }
  await job.check("journey/edit and publish", () => publish(browser, job));
}

// "What do I need for a building permit, how long may the commune take, what if
// it does not answer?"
async function newcomer(page, job, lang, words) {
  await page.goto(`${job.base}/${lang}/`);
  await page.fill("#q", words.query);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/search?**");
  await page.locator(".results h3 a", { hasText: words.name }).first().click();
  await page.waitForURL("**/procedures/**");
  equal(await page.locator("h1").innerText(), words.name, "the heading");
  holds((await page.locator(".papers .card").first().locator("li").count()) > 0, "no document to bring is named");
  const due = await page.locator(".facts time").first().getAttribute("datetime");
  const today = new Date().toISOString().slice(0, 10);
  holds(/^\d{4}-\d\d-\d\d$/.test(due) && due > today, `the last day ${due} is not a day to come`);
  const facts = await page.locator(".facts").innerText();
  holds(facts.includes(words.silence), `the key facts do not say what silence means: ${facts}`);
  holds((await page.locator("section:has(> #silence)").innerText()).includes(words.then), "silence is not explained");
  // The three answers stand high on a phone: within two screens.
  const box = await page.locator(".facts").boundingBox();
  holds(box.y + box.height < 2 * phone.height, `the key facts end at ${Math.round(box.y + box.height)} px`);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  return `the page is ${height} px high on a phone`;
}

async function languageSwitch(page, job, p) {
  await open(page, job, p);
  for (const lang of job.languages.slice(1)) {
    await page.click(`.langs a[lang="${lang}"]`);
    await page.waitForURL(`**/${lang}${p.path}`);
    equal(await page.locator("html").getAttribute("lang"), lang, "the page's language");
  }
}

async function decisionPath(page, job, p) {
  await open(page, job, p);
  const next = page.locator("form.form button[type=submit]");
  await next.click();
  holds(await page.locator(".error-sum").isVisible(), "no error when nothing was chosen");
  await page.locator(".error-sum a").click();
  const first = await page.locator("h1").innerText();
  let steps = 0;
  for (; (await next.count()) > 0; steps++) {
    holds(steps < 20, "the path does not end");
    await page.locator("input[type=radio]").first().check();
    await next.click();
  }
  holds((await page.locator(".results li").count()) > 0, "the answers lead to nothing");
  for (let i = 0; i < steps; i++) await page.goBack();
  equal(await page.locator("h1").innerText(), first, "the question after going back");
  await page.locator("input[type=radio]").nth(1).check();
  await next.click();
  holds((await page.locator("h1").innerText()) !== "", "another answer leads nowhere");
  return `${steps} questions`;
}

async function feedback(page, job, p) {
  await open(page, job, p);
  await page.locator("#feedback button[value=yes]").click();
  await page.waitForURL("**/thanks#feedback");
  holds(await page.locator("#feedback [role=status]").isVisible(), "nobody says thanks");
}

async function filters(page, job, p) {
  await open(page, job, p);
  const summary = page.locator(".facets > summary");
  if ((await summary.count()) === 0) return "no filters for this search";
  await summary.click();
  const before = await page.locator(".results > li").count();
  await page.locator(".facets input[type=checkbox]").first().check();
  await page.locator(".facets button[type=submit]").click();
  await page.waitForURL("**/search?**");
  holds((await page.locator(".results > li").count()) <= before, "a filter shows more");
  await page.locator(".chips .chip").first().click();
  holds((await page.locator(".chips").count()) === 0, "the filter cannot be taken away");
}

async function keyboard(page, job) {
  await page.goto(`${job.base}/fr/`);
  await page.keyboard.press("Tab");
  const skip = page.locator(".skip");
  holds(await skip.evaluate((el) => el === document.activeElement && el.getBoundingClientRect().top >= 0), "the first stop is not the visible skip link");
  await page.keyboard.press("Enter");
  equal(await page.evaluate(() => document.activeElement.id), "main", "where the skip link leads");
  await page.keyboard.press("Tab");
  equal(await page.evaluate(() => document.activeElement.id), "q", "the first stop in the page");
}

// focusSeen walks the page with the tab key: every stop is on the screen, shows
// a ring, and the walk ends where the page ends.
async function focusSeen(page, job, p) {
  await open(page, job, p);
  const seen = new Set();
  const wanted = await page.evaluate(() => [...document.querySelectorAll("a[href], button:not([hidden]), input, select, textarea, summary")].filter((el) => el.checkVisibility({ visibilityProperty: true })).length);
  for (let i = 0; i < wanted; i++) {
    await page.keyboard.press("Tab");
    const s = await page.evaluate(() => {
      const el = document.activeElement, r = el.getBoundingClientRect(), c = getComputedStyle(el);
      el.dataset.stop ??= document.querySelectorAll("[data-stop]").length;
      return { stop: el.dataset.stop, what: el.outerHTML.slice(0, 90), ring: c.outlineStyle !== "none" && parseFloat(c.outlineWidth) >= 2, on: r.bottom > 0 && r.top < innerHeight };
    });
    holds(s.ring, `no ring on ${s.what}`);
    holds(s.on, `off the screen: ${s.what}`);
    seen.add(s.stop);
  }
  equal(seen.size, wanted, "stops of the tab key");
  return `${wanted} stops`;
}

async function suggestions(page, job) {
  const { lang, letters } = job.words.typed;
  await page.goto(`${job.base}/${lang}/`);
  await page.focus("#q");
  const q = page.locator("#q");
  equal(await q.getAttribute("role"), "combobox", "the field's role");
  await page.keyboard.type(letters, { delay: 20 });
  await page.locator("[role=option]").first().waitFor();
  equal(await q.getAttribute("aria-expanded"), "true", "aria-expanded");
  await page.keyboard.press("Escape");
  equal(await q.getAttribute("aria-expanded"), "false", "aria-expanded after Escape");
  await page.keyboard.type("e");
  await page.keyboard.press("Backspace");
  await page.locator("[role=option]").first().waitFor();
  await page.keyboard.press("ArrowDown");
  const active = await q.getAttribute("aria-activedescendant");
  equal(await page.locator(`[id="${active}"]`).getAttribute("aria-selected"), "true", "the marked suggestion");
  const box = await page.locator(".suggest").boundingBox();
  holds(box.x >= 0 && box.x + box.width <= phone.width, "the suggestions stand out of the screen");
  await page.keyboard.press("Enter");
  await page.waitForURL((u) => !u.pathname.endsWith(`/${lang}/`));
}

// largeText doubles the text, as somebody with weak eyes does.
async function largeText(page, job, p) {
  await page.setViewportSize({ width: 640, height: 800 });
  await open(page, job, p);
  await page.evaluate(() => document.documentElement.setAttribute("data-large", ""));
  const session = await page.context().newCDPSession(page);
  await session.send("Page.enable");
  await session.send("Emulation.setPageScaleFactor", { pageScaleFactor: 1 });
  await page.setViewportSize({ width: 320, height: 400 }); // 200 % zoom of 640 by 800
  equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, "the width at twice the size");
}

async function print(page, job, p) {
  await open(page, job, p);
  await page.emulateMedia({ media: "print" });
  for (const gone of [".nav", ".langs", ".crumbs", ".foot", ".skip", "#feedback", ".actions"]) {
    for (const el of await page.locator(gone).all()) holds(!(await el.isVisible()), `${gone} is printed`);
  }
  for (const kept of ["h1", ".facts", ".papers", ".steps", "#silence", "#legal"]) {
    holds(await page.locator(kept).first().isVisible(), `${kept} is not printed`);
  }
  const closed = await page.locator("details").evaluateAll((ds) => ds.filter((d) => ![...d.children].at(-1).checkVisibility()).length);
  equal(closed, 0, "folded parts that paper cannot open");
  const sheets = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  holds(sheets <= 4, `${sheets} sheets of paper`);
  return `${sheets} sheets`;
}

// publish lets an editor change a summary, and a member of the commission, who
// is somebody else, publish it. The public then reads it.
async function publish(browser, job) {
  const id = job.pages.find((p) => p.kind === "procedure").path;
  const text = job.words.edited;
  const as = async (login, run) => {
    const context = await browser.newContext({ viewport: phone, ...noScript });
    try {
      await signIn(context, job, login);
      const page = await context.newPage();
      page.setDefaultTimeout(8000);
      await run(page);
    } finally {
      await context.close();
    }
  };
  await as("editor.demo", async (page) => {
    await page.goto(`${job.base}/fr/office${id}/edit`);
    await page.fill('[name="summary.fr"]', text);
    await page.locator("form.edit .actions button[type=submit]").last().click();
    await page.waitForURL(`**/office${id}`);
    holds((await page.locator('button[value="publish"]').count()) === 0, "an editor can publish");
    await page.click('button[value="submit"]');
    await page.waitForURL(`**/office${id}`);
  });
  await as("commission.demo", async (page) => {
    await page.goto(`${job.base}/fr/office/`);
    await page.locator(`a[href$="/office${id}"]`).first().click();
    await page.click('button[value="publish"]');
    await page.waitForURL(`**/office${id}`);
    holds((await page.locator('button[value="publish"]').count()) === 0, "it was not published");
  });
  await visit(browser, job, noScript, async (page) => {
    await page.goto(`${job.base}/fr${id}`);
    equal(await page.locator(".page-head .lead").innerText(), text, "what the public reads");
  });
}
