// Sends files in parts (tus 1.0.0) while the person goes on: what a weak connection has carried once is not carried again,
// even after the page was left. Works on <input type="file" data-upload="ADDRESS"> inside a form. Without this script, or
// when it fails, the input stays what it is and the form sends the file itself.
const part = 1 << 20, tries = 6, wait = (ms) => new Promise((done) => setTimeout(done, ms));
const fill = (s, values) => (s || "").replace(/\{(\w+)\}/g, (all, k) => values[k] ?? all);
const head = { "Tus-Resumable": "1.0.0" };
const b64 = (s) => btoa(String.fromCharCode(...new TextEncoder().encode(s)));

class Refused extends Error {}

async function ask(address, options) {
  const r = await fetch(address, { credentials: "same-origin", ...options, headers: { ...head, ...options.headers } });
  if (r.status >= 500 || r.status === 423 || r.status === 429) throw new Error("later");
  return r;
}

// What was begun is remembered under the file's own marks, for this form alone.
const mark = (to, f) => ["upload", to, f.name, f.size, f.lastModified].join("|");
const kept = { get: (k) => { try { return localStorage.getItem(k); } catch { return null; } },
  set: (k, v) => { try { v ? localStorage.setItem(k, v) : localStorage.removeItem(k); } catch { /* private windows keep nothing */ } } };

async function begin(to, f) {
  const known = kept.get(mark(to, f));
  if (known) {
    const r = await ask(known, { method: "HEAD" });
    if (r.ok) {
      const at = Number(r.headers.get("Upload-Offset"));
      return { at: at === Number(r.headers.get("Upload-Length")) ? f.size : at, address: known };
    }
    kept.set(mark(to, f));
  }
  const r = await ask(to, { method: "POST", headers: { "Upload-Length": String(f.size), "Upload-Metadata": "filename " + b64(f.name) } });
  if (r.status !== 201) throw new Refused(r.headers.get("Diwan-Problem") || "");
  // Where it goes on says for which form it is, as the address that it began at does.
  const address = new URL(r.headers.get("Location"), location.href).pathname + new URL(to, location.href).search;
  kept.set(mark(to, f), address);
  return { at: 0, address };
}

async function send(to, f, said, stop) {
  let failed = 0;
  for (;;) {
    try {
      let { at, address } = await begin(to, f);
      while (at < f.size) {
        said("sending", Math.floor((100 * at) / f.size));
        const r = await ask(address, { method: "PATCH", body: f.slice(at, at + part), signal: stop,
          headers: { "Upload-Offset": String(at), "Content-Type": "application/offset+octet-stream" } });
        if (r.status === 409) break; // somebody else was faster: ask where it stands
        if (!r.ok) { kept.set(mark(to, f)); throw new Refused(r.headers.get("Diwan-Problem") || ""); }
        at = Number(r.headers.get("Upload-Offset"));
        failed = 0;
      }
      if (at >= f.size) { kept.set(mark(to, f)); return address; }
    } catch (e) {
      if (e instanceof Refused || stop.aborted || ++failed > tries) throw e;
      said("waiting", 0);
      await wait(500 * 2 ** failed);
    }
  }
}

function enhance(input) {
  const list = document.createElement("ul"), words = input.dataset, to = words.upload, form = input.form;
  const needed = input.required;
  list.className = "plain flow";
  list.setAttribute("aria-live", "polite");
  input.after(list);
  const settle = () => { input.required = needed && !list.querySelector("input"); };
  const one = async (f) => {
    const row = document.createElement("li"), text = document.createElement("span"), bar = document.createElement("progress"), off = document.createElement("button");
    const stop = new AbortController();
    bar.max = 100; bar.value = 0; bar.setAttribute("aria-label", f.name);
    off.type = "button"; off.className = "btn btn-quiet btn-s"; off.textContent = fill(words.uploadRemove, { name: f.name });
    row.append(text, bar, off);
    list.append(row);
    let address = "", before = -1;
    const said = (key, percent) => {
      bar.value = percent;
      // Spoken at each quarter only: a reader that says every percent says nothing else.
      const step = key === "sending" ? Math.floor(percent / 25) : -2;
      if (step === before) return;
      before = step;
      text.textContent = fill(words["upload" + key[0].toUpperCase() + key.slice(1)], { name: f.name, percent });
    };
    off.addEventListener("click", () => {
      stop.abort();
      if (address) fetch(address, { method: "DELETE", headers: head, credentials: "same-origin" }).catch(() => {});
      kept.set(mark(to, f));
      row.remove();
      settle();
      input.focus();
    });
    try {
      address = await send(to, f, said, stop.signal);
      const field = document.createElement("input");
      field.type = "hidden"; field.name = input.name + ".sent"; field.value = new URL(address, location.href).pathname.split("/").pop();
      row.append(field);
      bar.remove();
      text.textContent = fill(words.uploadSent, { name: f.name });
    } catch (e) {
      if (stop.signal.aborted) return;
      bar.remove();
      // The server has a sentence for each reason; the page asks for it under the code.
      const why = e instanceof Refused ? document.querySelector(`[data-upload-problem="${CSS.escape(e.message)}"]`) : null;
      text.textContent = fill(words.uploadFailed, { name: f.name }) + (why ? " " + why.textContent : "");
      row.className = "error";
    }
    settle();
  };
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = ""; // the form does not send them a second time
    const pending = Promise.all(files.map(one));
    form.dataset.busy = "1";
    await pending;
    delete form.dataset.busy;
  });
  // A form that is sent too early waits for what is on its way.
  form.addEventListener("submit", (e) => {
    if (!form.dataset.busy) return;
    e.preventDefault();
    const button = e.submitter;
    const look = setInterval(() => { if (!form.dataset.busy) { clearInterval(look); form.requestSubmit(button); } }, 200);
  });
}

if (window.fetch && window.AbortController) for (const input of document.querySelectorAll("input[type=file][data-upload]")) if (input.form) enhance(input);
