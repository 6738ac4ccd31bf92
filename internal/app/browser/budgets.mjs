// What a first visit costs: bytes as they cross the wire, each page in a fresh
// browser profile.
import { watch } from "./page.mjs";

const limits = { document: 15_000, stylesheet: 20_000, script: 10_000, font: 65_000 };

export async function budgets(browser, job) {
  const full = job.pages.find((p) => p.kind === "procedure").path;
  for (const lang of job.languages) {
    for (const path of ["/", full]) {
      await job.check(`budget/${lang}${path}`, async () => {
        const context = await browser.newContext({ viewport: { width: 360, height: 780 } });
        try {
          const page = await context.newPage();
          const wrong = watch(page, job);
          const answers = [];
          page.on("response", (r) => answers.push(r));
          await page.goto(`${job.base}/${lang}${path}`, { waitUntil: "networkidle" });
          await page.evaluate(() => document.fonts.ready);
          const bytes = { document: 0, stylesheet: 0, script: 0, font: 0, image: 0 };
          for (const r of answers) {
            const kind = r.url().endsWith(".svg") ? "image" : r.request().resourceType();
            bytes[kind] += (await r.request().sizes()).responseBodySize;
          }
          const over = Object.entries(limits).filter(([kind, limit]) => !(bytes[kind] <= limit));
          const said = Object.entries(bytes).map(([kind, n]) => `${kind} ${n}`).join(", ") + `, ${answers.length} requests`;
          if (over.length) throw new Error(`over the limit of ${over.map(([k, l]) => `${l} bytes of ${k}`).join(", ")}: ${said}`);
          if (!bytes.document || !bytes.stylesheet || !bytes.font) throw new Error(`nothing was measured: ${said}`);
          if (wrong.length) throw new Error(wrong.join("\n"));
          return said;
        } finally {
          await context.close();
        }
      });
    }
  }
}
