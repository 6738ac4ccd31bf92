// Runs every check in one Chromium. It reads the job as JSON on standard input
// and answers one line of JSON a check: {name, error, note}.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { audit } from "./audit.mjs";
import { budgets } from "./budgets.mjs";
import { journeys } from "./journeys.mjs";

const job = JSON.parse(readFileSync(0, "utf8"));
job.words = JSON.parse(readFileSync(new URL("testdata/words.json", import.meta.url), "utf8"));

const browser = await chromium.launch({
  executablePath: job.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});

// check runs one check and says how it went; note is what it measured.
job.check = async (name, run) => {
  const line = { name };
  try {
    line.note = (await run()) || "";
  } catch (e) {
    line.error = String(e.message || e).replace(/\x1b\[[0-9;]*m/g, "");
  }
  process.stdout.write(JSON.stringify(line) + "\n");
};

try {
  if (!job.only) await budgets(browser, job);
  await audit(browser, job);
  if (!job.only) await journeys(browser, job);
} finally {
  await browser.close();
}
