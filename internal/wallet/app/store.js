// What the wallet keeps, in the browser's own database: documents, keys that can't be taken out, history, lists.

const name = "diwan-wallet", revision = 1;
const stores = ["meta", "documents", "keys", "history", "lists", "waiting"];

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

function database() {
  return (opened ??= new Promise((done, failed) => {
    const r = indexedDB.open(name, revision);
    r.onupgradeneeded = () => {
      for (const s of stores) if (!r.result.objectStoreNames.contains(s)) r.result.createObjectStore(s, s === "meta" ? undefined : { keyPath: "id" });
    };
    r.onsuccess = () => {
      r.result.onversionchange = () => r.result.close();
      done(r.result);
    };
    r.onerror = () => failed(r.error);
  }));
}

/** @param {IDBRequest} r @returns {Promise<any>} */
const answer = (r) => new Promise((done, failed) => {
  r.onsuccess = () => done(r.result);
  r.onerror = () => failed(r.error);
});

/** @param {string} store @param {string} id */
export const get = async (store, id) => answer((await database()).transaction(store).objectStore(store).get(id));

/** @param {string} store */
export const all = async (store) => answer((await database()).transaction(store).objectStore(store).getAll());

/**
 * Changes several things together or none of them: what is there after a crash belongs together.
 * @param {{ store: string, put?: any, key?: string, drop?: string }[]} changes
 */
export async function change(...changes) {
  const db = await database(), t = db.transaction([...new Set(changes.map((c) => c.store))], "readwrite", { durability: "strict" });
  for (const c of changes) {
    const s = t.objectStore(c.store);
    if (c.drop !== undefined) s.delete(c.drop);
    else s.put(c.put, c.key);
  }
  return new Promise((done, failed) => {
    t.oncomplete = () => done(undefined);
    t.onerror = t.onabort = () => failed(t.error);
  });
}

/** @param {string} key */
export const meta = (key) => get("meta", key);

/** @param {string} key @param {any} value */
export const setMeta = (key, value) => change(value === undefined ? { store: "meta", drop: key } : { store: "meta", put: value, key });

/** Forgets everything. */
export async function clear() {
  const db = await database(), t = db.transaction(stores, "readwrite");
  for (const s of stores) t.objectStore(s).clear();
  return new Promise((done, failed) => {
    t.oncomplete = () => done(undefined);
    t.onerror = () => failed(t.error);
  });
}
