// Enhancements only: every page works without this file.

// Suggestions while typing: a combobox over the search field (WAI-ARIA pattern).
for (const input of document.querySelectorAll("input[data-suggest]")) {
  const list = document.createElement("ul");
  list.className = "suggest";
  list.id = input.id + "-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggestLabel || "");
  list.hidden = true;
  input.closest("form").append(list);
  for (const [k, v] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) input.setAttribute(k, v);
  let at = -1, asked = "", timer;
  const close = () => { list.hidden = true; at = -1; asked = ""; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = (i) => {
    const items = list.children;
    if (!items.length) return;
    at = (i + items.length) % items.length;
    for (const [j, el] of [...items].entries()) el.setAttribute("aria-selected", j === at);
    input.setAttribute("aria-activedescendant", items[at].id);
  };
  const show = (items) => {
    list.replaceChildren(...items.map((it, i) => {
      const li = document.createElement("li"), a = document.createElement("a");
      li.id = list.id + i; li.setAttribute("role", "option"); li.setAttribute("aria-selected", "false");
      a.href = it.url; a.textContent = it.title; a.tabIndex = -1; if (it.lang) { a.lang = it.lang; a.dir = it.dir; }
      li.append(a); return li;
    }));
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(!!items.length));
    at = -1;
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    const q = input.value.trim();
    if (q.length < 2) return close();
    timer = setTimeout(async () => {
      asked = q;
      try {
        const r = await fetch(input.dataset.suggest + encodeURIComponent(q));
        if (r.ok && asked === q) show((await r.json()).items);
      } catch { close(); }
    }, 150);
  });
  input.addEventListener("keydown", (e) => {
    if (list.hidden) return;
    if (e.key === "ArrowDown") { mark(at + 1); e.preventDefault(); }
    else if (e.key === "ArrowUp") { mark(at < 0 ? -1 : at - 1); e.preventDefault(); }
    else if (e.key === "Escape") { close(); e.preventDefault(); } // it would empty the field
    else if (e.key === "Enter" && at >= 0) { e.preventDefault(); location.href = list.children[at].firstChild.href; }
  });
  input.addEventListener("blur", () => setTimeout(close, 200));
}

// A button that prints: shown only where there is a script to do it.
for (const b of document.querySelectorAll("[data-print]")) {
  b.hidden = false;
  b.addEventListener("click", () => print());
}
