// Passkeys: asks the browser for a key, or to make one, and hands the answer to the server. Works from the keyboard: the
// buttons are plain buttons, and what went wrong is said where a screen reader hears it.
const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const keys = (list) => (list || []).map((k) => ({ ...k, id: bytes(k.id) }));

async function post(address, body) {
  const r = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body || {}) });
  const answer = await r.json();
  if (!r.ok) throw new Error(answer.detail || "");
  return answer;
}

async function use(options) {
  const o = options.publicKey;
  const c = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: keys(o.allowCredentials) } });
  const a = c.response;
  return { id: c.id, rawId: text(c.rawId), type: c.type, response: { clientDataJSON: text(a.clientDataJSON), authenticatorData: text(a.authenticatorData),
    signature: text(a.signature), userHandle: a.userHandle ? text(a.userHandle) : undefined } };
}

async function make(options) {
  const o = options.publicKey;
  const c = await navigator.credentials.create({ publicKey: { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: keys(o.excludeCredentials) } });
  return { id: c.id, rawId: text(c.rawId), type: c.type, response: { clientDataJSON: text(c.response.clientDataJSON), attestationObject: text(c.response.attestationObject),
    transports: c.response.getTransports ? c.response.getTransports() : [] } };
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button"), said = form.querySelector("[role=alert]");
  if (!window.PublicKeyCredential) continue; // the form says what to do without
  form.hidden = false;
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    said.textContent = "";
    button.disabled = true;
    try {
      const begun = await post(form.action + "/begin");
      const credential = await (form.dataset.passkey === "make" ? make : use)(begun.options);
      const done = await post(form.action, { token: begun.token, name: form.elements.name?.value, to: form.elements.to?.value, credential });
      location.assign(done.to);
    } catch (err) {
      said.textContent = (err.name === "Error" && err.message) || form.dataset.failed;
      button.disabled = false;
      button.focus();
    }
  });
}
