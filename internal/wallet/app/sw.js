// Keeps the files of one version together, so that documents can be read without a network. The server writes version and
// files above: another version is another cache, and the old one goes only when all of the new one is there.
const name = "diwan-wallet-" + version;

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(name).then((c) => c.addAll(files.map((f) => new Request(f, { cache: "no-cache" })))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (e) => {
  const old = (k) => k.startsWith("diwan-wallet-") && k !== name;
  e.waitUntil(caches.keys().then((keys) => Promise.all(keys.filter(old).map((k) => caches.delete(k)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== self.location.origin) return;
  const page = e.request.mode === "navigate" && url.pathname === "/wallet/";
  if (!page && !files.includes(url.pathname)) return;
  e.respondWith(caches.open(name).then((c) => c.match(page ? "/wallet/" : e.request, { ignoreSearch: true })).then((r) => r || fetch(e.request)));
});
