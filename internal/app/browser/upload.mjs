// A file goes in parts while the line breaks: what was carried once is not carried again,
// even after the page was loaded anew, and the form takes the file. It reads {base,
// chromium, person, lang, page, file, name} as JSON on standard input and says what went
// wrong on standard error.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { equal, holds, signIn } from "./page.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });

try {
  const context = await browser.newContext({ viewport: { width: 360, height: 780 }, reducedMotion: "reduce" });
  await signIn(context, job, job.person);
  const page = await context.newPage();
  page.setDefaultTimeout(20000);

  // Every part that leaves is noted by where it begins; from the third on the line is cut.
  let cut = true;
  const parts = [], asked = [];
  await page.route("**/uploads/**", (route) => {
    const r = route.request();
    asked.push(r.method());
    if (r.method() === "PATCH") {
      if (cut && parts.length >= 2) return route.abort("internetdisconnected");
      parts.push(Number(r.headers()["upload-offset"]));
    } else if (cut && parts.length >= 2) return route.abort("internetdisconnected");
    return route.continue();
  });
  const at = `${job.base}/${job.lang}${job.page}`;
  await page.goto(at);
  const input = page.locator("main input[type=file][data-upload]").first();
  await input.setInputFiles(job.file);
  await page.waitForFunction(() => document.querySelector("main form li progress")?.value > 0);
  for (let n = 0; n < 100 && asked.filter((m) => m === "PATCH").length < 3; n++) await page.waitForTimeout(100);
  equal(parts.join(), "0,1048576", "the parts before the line was cut");
  holds(await page.locator("main form[data-busy]").count(), "the form does not wait for what is on its way");

  await page.reload();
  cut = false;
  parts.length = asked.length = 0;
  await page.locator("main input[type=file][data-upload]").first().setInputFiles(job.file);
  await page.locator('main form input[type=hidden][name$=".sent"]').waitFor({ state: "attached" });
  equal(asked[0], "HEAD", "how it goes on after the page was loaded anew");
  equal(parts[0], 2097152, "where it goes on");
  holds(!asked.includes("POST"), "the file was begun anew");
  await Promise.all([page.waitForNavigation(), page.locator("form.form button.btn-wide").click()]);
  equal(await page.locator(".error-sum").count(), 0, `the form: ${await page.locator(".error-sum").allInnerTexts()}`);
  holds(page.url() !== at, "the form stays where it was");
  await page.goto(at);
  holds((await page.locator("main").innerText()).includes(job.name), "the form does not hold the file");
} catch (e) {
  console.error(String(e.message || e).replace(/\x1b\[[0-9;]*m/g, ""));
  process.exitCode = 1;
} finally {
  await browser.close();
}
