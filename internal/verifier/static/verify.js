// Enhancements of the pages that check documents: each works without this file.

// What stands behind "#" never reached the server: it is put into the form, shown there, and sent when it is something.
for (const form of document.querySelectorAll("form[data-hash]")) {
  const field = form.elements.text;
  let text = "";
  try { text = decodeURIComponent(location.hash.slice(1)); } catch { text = location.hash.slice(1); }
  if (!text) continue;
  history.replaceState(null, "", location.pathname + location.search); // not left in the address, where it would be copied or kept
  field.value = text;
  form.requestSubmit();
}

// A request that waits: the page asks how it stands, seldom when nobody looks, and not any more when it is over.
for (const box of document.querySelectorAll("[data-state]")) {
  const said = box.querySelector("[data-said]"), began = Date.now();
  const look = async () => {
    try {
      const r = await fetch(box.dataset.state, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!r.ok) return location.reload();
      const { state, text } = await r.json();
      if (state !== "waiting" && state !== "fetched") return location.reload();
      if (said.textContent !== text) said.textContent = text;
    } catch { /* the network is away for a moment */ }
    if (Date.now() - began < 15 * 60e3) setTimeout(look, document.hidden ? 10e3 : 2e3);
  };
  setTimeout(look, 2e3);
}

// An answer that has come is asked for at once.
for (const form of document.querySelectorAll("form[data-ready]")) form.requestSubmit();
