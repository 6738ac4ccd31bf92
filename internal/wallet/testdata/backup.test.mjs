// Backups: written, read on another device, and refused when anything is not as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as backup from "./app/core/backup.js";
import { b64url, hash, random, utf8, unb64url } from "./app/core/bytes.js";
import * as jose from "./app/core/jose.js";

const refuses = (code, run) => assert.rejects(async () => run(), (e) => {
  if (e.code !== code) throw new Error(`code ${e.code} (${e.message}), want ${code}`, { cause: e });
  return true;
});
const way = { way: "passphrase", salt: b64url(random(16)), iterations: backup.iterations };

test("a backup", async () => {
  const key = await backup.opener(way, "seven green lamps"), p = await backup.protect(way, key);
  const pair = await jose.newPair(true), sealed = await backup.sealKey(p, pair.privateKey);
  const file = await backup.write(p, key, { documents: [{ id: "one" }], keys: [{ id: "k", sealed }] }, 1790000000);
  assert.ok(!file.includes(sealed.sealed) && !file.includes(p.jwk.x), "what is within can't be seen");

  const there = await backup.peek(file), again = await backup.opener(there.way, "seven green lamps");
  const { content, priv } = await backup.read(there, again);
  assert.equal(content.documents[0].id, "one");
  const restored = await jose.privateKey(await backup.openKey(content.keys[0].sealed, priv));
  assert.equal(restored.extractable, false);
  const text = await jose.sign(restored, { typ: "test" }, { a: 1 });
  await jose.parse(text, ["test"]).verify(pair.publicKey);

  await refuses("backup_secret", async () => backup.read(there, await backup.opener(there.way, "seven red lamps")));
  await refuses("backup_secret", async () => backup.write(p, await backup.opener(way, "mistyped"), {}, 1790000000));

  // Damaged on its way: every byte counts.
  for (const at of [20, 80, file.length >> 1, file.length - 5]) await assert.rejects(async () => backup.peek(file.slice(0, at) + (file[at] === "A" ? "B" : "A") + file.slice(at + 1)), (e) => e.code.startsWith("backup_"));
  await refuses("backup_form", () => backup.peek(file.slice(0, -20)));

  // Changed on purpose, the check with it.
  const forge = async (change) => {
    const f = JSON.parse(file), head = JSON.parse(Buffer.from(unb64url(f.head)).toString());
    change(head, f);
    f.head = b64url(utf8(JSON.stringify(head)));
    f.check = b64url((await hash(utf8(f.head + f.iv + f.data))).subarray(0, 8));
    return backup.peek(JSON.stringify(f));
  };
  await refuses("backup_older", () => forge((h) => { h.version = 0; }));
  await refuses("backup_newer", () => forge((h) => { h.version = 2; }));
  await refuses("backup_form", () => forge((h) => { h.format = "other"; }));
  const dated = await forge((h) => { h.created = "2020-01-01T00:00:00.000Z"; });
  await refuses("backup_secret", () => backup.read(dated, again));
  const bent = await forge((_, f) => { f.data = (f.data[0] === "A" ? "B" : "A") + f.data.slice(1); });
  await refuses("backup_secret", () => backup.read(bent, again));
  await refuses("backup_form", () => backup.opener({ ...way, iterations: 1000 }, "x"));
  await refuses("backup_form", () => backup.opener({ ...way, iterations: 1e12 }, "x"));
});

test("a passkey's secret", async () => {
  const w = { way: "passkey", salt: b64url(random(32)), credential: "AA" }, secret = random(32);
  const key = await backup.opener(w, secret), p = await backup.protect(w, key);
  await backup.openProtection(p, await backup.opener(w, secret));
  await refuses("backup_secret", async () => backup.openProtection(p, await backup.opener(w, random(32))));
});
