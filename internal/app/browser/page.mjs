// What every check needs of a page: who is signed in, what went wrong while it
// loaded.

// signIn enters with a sample account and leaves the session in the context.
export async function signIn(context, job, login) {
  const root = login === job.person ? "me" : "office"; // people have a space of their own
  const answer = await context.request.post(`${job.base}/en/${root}/sign-in`, { form: { login }, maxRedirects: 0 });
  equal(answer.status(), 303, `signing in as ${login}`);
}

// watch collects what no page may do: ask another host, write an error to the
// console (violations of the security policy are among them), throw.
export function watch(page, job) {
  const wrong = [];
  page.on("request", (r) => {
    if (!r.url().startsWith(job.base + "/") && !r.url().startsWith("data:")) wrong.push(`asked ${r.url()}`);
  });
  page.on("requestfailed", (r) => {
    // A navigation that another one overtakes is aborted, which is no fault.
    if (r.failure()?.errorText !== "net::ERR_ABORTED") wrong.push(`${r.url()}: ${r.failure()?.errorText}`);
  });
  page.on("response", (r) => {
    if (r.status() >= 400 && !r.request().isNavigationRequest()) wrong.push(`${r.url()} answers ${r.status()}`);
  });
  page.on("console", (m) => {
    // The browser notes the status of a page that is an error page.
    if (m.type() === "error" && !m.text().startsWith("Failed to load resource")) wrong.push(`console: ${m.text()}`);
  });
  page.on("pageerror", (e) => wrong.push(`script: ${e.message}`));
  return wrong;
}

// open goes to a page of the job, sending its form when it has one.
export async function open(page, job, p) {
  const address = `${job.base}/${p.lang}${p.path}`;
  // A page that only comes as an answer was written by the program before: it is given to the browser as it is.
  if (p.body) await page.route(address, (r) => r.fulfill({ contentType: "text/html; charset=utf-8", body: p.body }), { times: 1 });
  let answer = await page.goto(address);
  if (p.form) {
    for (const [name, value] of Object.entries(p.form)) await page.fill(`[name="${name}"]`, value);
    const buttons = page.locator("main form .actions button[type=submit]");
    const main = page.locator("main form .actions button.btn-wide[type=submit]"); // the one next step, where a page has it
    [answer] = await Promise.all([
      page.waitForResponse((r) => r.request().method() === "POST"),
      ((await main.count()) ? main.first() : buttons.last()).click(),
    ]);
    await page.waitForLoadState();
  }
  if (p.click) {
    const led = page.waitForNavigation();
    await page.locator(p.click).first().click();
    answer = await led;
  }
  if (answer.status() !== p.status) throw new Error(`status ${answer.status()}, want ${p.status}`);
}

// overflow names the elements that stand out of the page sideways.
export function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return "";
    const out = [...document.querySelectorAll("body *")].filter((el) => {
      const r = el.getBoundingClientRect();
      return r.width > 0 && !el.closest(".sr, .skip") && (r.right > root.clientWidth + 1 || r.left < -1);
    });
    return `${root.scrollWidth} px wide: ` + out.slice(0, 4).map((el) => el.tagName.toLowerCase() + "." + el.className).join(", ");
  });
}

// equal and holds say what was found when it is not what was wanted.
export function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
}
export function holds(ok, what) {
  if (!ok) throw new Error(what);
}
