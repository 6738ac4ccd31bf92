// A citizen applies for a building permit on a phone and follows it to its end,
// against a whole demonstration: the sign-in provider, the exchange and the land
// registry are programs of their own. Every page on the way is looked at by axe.
// It reads {base, chromium, lang, file, words} as JSON on standard input, and says
// what went wrong on standard error.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { holds } from "./page.mjs";
import { permit, phone, screen, tell } from "./permit.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const { visitor, at, look, mine, apply, step, due, paper, officer, act, charge, pay, used, clock, decide } = permit(browser, job);

try {
  const citizen = await visitor(phone);
  const number = await apply(citizen, "salma.demo");
  const first = await due(citizen);
  holds(first > new Date().toISOString().slice(0, 10), `the last day ${first} is not to come`);
  await paper(citizen, "receipt", number);
  await at(citizen, `/receipts/${number}`);
  await look(citizen);

  const desk = await visitor(screen);
  await officer(desk, "study.demo", number);
  await charge(desk, "1 200,50", job.words.reason);
  await mine(citizen, `/me/cases/${number}`);
  await pay(citizen);
  await used(citizen);

  await clock("240h");
  await officer(desk, "study.demo", number);
  await act(desk, "information_requested", job.words.question);

  await clock("120h");
  await mine(citizen, `/me/cases/${number}`);
  await citizen.locator("#aw").fill(job.words.text);
  await step(citizen, () => citizen.locator("button[value=information_received]").click());
  const moved = await due(citizen);
  holds(moved > first, `the last day was ${first} and is ${moved}`);
  await citizen.locator(".clock summary").click();
  holds((await citizen.locator(".clock ol li").count()) > 3, "the page does not say why the day moved");

  await decide(number, "refused", job.words.reason);
  await mine(citizen, `/me/cases/${number}`);
  holds((await citizen.locator("main").innerText()).includes(job.words.reason), "the person does not read the reasons");
  await paper(citizen, "decision", number);

  const second = await apply(citizen, "salma.demo");
  await clock("2160h");
  await mine(citizen, `/me/cases/${second}`);
  holds(await citizen.locator('a[href*="/me/papers/certificate/"]').count(), "silence did not become acceptance");
  await paper(citizen, "certificate", second);
  await mine(citizen, "/me/");
  const mails = await (await fetch(`${job.base}/demo/mail`)).json();
  holds(JSON.stringify(mails).includes(number), "nobody was told");
} catch (e) {
  await tell(browser, e);
} finally {
  await browser.close();
}
