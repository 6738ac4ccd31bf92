// The core of the application against what the program writes. Run by a Go test, which makes fixtures.json and reads
// answers.json.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test, after } from "node:test";
import * as base45 from "./app/core/base45.js";
import { b64url, hash, random, unb64, unb64url, utf8, inflate } from "./app/core/bytes.js";
import * as cbor from "./app/core/cbor.js";
import * as cose from "./app/core/cose.js";
import * as dcql from "./app/core/dcql.js";
import { Certificate } from "./app/core/der.js";
import * as jose from "./app/core/jose.js";
import { parse as json } from "./app/core/json.js";
import * as jwe from "./app/core/jwe.js";
import * as mdoc from "./app/core/mdoc.js";
import * as paper from "./app/core/paper.js";
import * as proofs from "./app/core/proofs.js";
import * as sdjwt from "./app/core/sdjwt.js";
import * as status from "./app/core/status.js";
import * as trust from "./app/core/trust.js";

const f = JSON.parse(readFileSync("fixtures.json", "utf8"));
const anchor = new Certificate(unb64(f.anchor));
const now = f.now, jwtType = "application/statuslist+jwt", cwtType = "application/statuslist+cwt";
const read = (text, ...rest) => status.read(utf8(text), jwtType, ...rest);
const answers = {};
after(() => writeFileSync("answers.json", JSON.stringify(answers)));

const refuses = (code, run) => assert.rejects(async () => run(), (e) => {
  if (e.code !== code) throw new Error(`code ${e.code} (${e.message}), want ${code}`, { cause: e });
  return true;
});
const list = () => trust.read(f.trust, f.operator, [anchor], now);

test("base45", async () => {
  answers.base45 = base45.encode(utf8("ietf!"));
  assert.equal(base45.encode(utf8("AB")), "BB8");
  assert.deepEqual(base45.decode("QED8WEX0"), utf8("ietf!"));
  for (let n = 0; n < 40; n++) {
    const b = random(n);
    assert.deepEqual(base45.decode(base45.encode(b)), b);
  }
  for (const s of ["A", "GGW", "::", "ab1"]) await refuses("unreadable", () => base45.decode(s));
});

test("base64url has one form", async () => {
  assert.deepEqual(unb64url("_-8"), Uint8Array.of(255, 239));
  for (const s of ["_-9", "a", "+/8", "YQ==", "a b"]) await refuses("unreadable", () => unb64url(s));
});

test("json", async () => {
  assert.deepEqual(json('{"a":{"b":1},"c":[{"b":2},{"b":3}],"d":"{\\"a\\":1,\\"a\\":2}"}').c[1].b, 3);
  for (const s of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"x":[{"a":1,"b":{},"a":3}]}', "[".repeat(40) + "]".repeat(40), "{", "\uFEFF{}"]) await refuses("unreadable", () => json(s));
  await refuses("unreadable", () => json(Uint8Array.of(0x22, 0xff, 0x22)));
});

test("cbor", async () => {
  const values = [0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -24, -25, -257, "", "salma", null, true, false, [], [1, [2]], new Map([["a", 1], [-1, 2]]), new Uint8Array([1])];
  for (const v of values) assert.deepEqual(cbor.decode(cbor.encode(v)), v);
  const hex = (s) => Uint8Array.from(s.match(/../g).map((x) => parseInt(x, 16)));
  for (const s of ["1817", "190017", "5f4100ff", "a2616101616102", "ff", "1bffffffffffffffff", "62c328", "f7", "0000", "82", "81".repeat(20) + "00", "9b0000000100000000", "a1f600"]) await refuses("unreadable", () => cbor.decode(hex(s)));
  assert.equal(cbor.decode(hex("f93c00")), 1);
  assert.equal(cbor.decode(hex("fb3ff199999999999a")), 1.1);
});

test("random bytes never do anything but refuse", async () => {
  for (let i = 0; i < 3000; i++) {
    const b = random(i % 60);
    for (const run of [() => cbor.decode(b), () => new Certificate(b), () => json(b), () => cose.parse(b)]) try { run(); } catch (e) { assert.equal(typeof e.code, "string", e.stack); }
  }
});

test("bytes that were changed never do anything but refuse, with a code", async () => {
  const readers = { certificate: [unb64(f.anchor), (b) => new Certificate(b)], mdoc: [unb64url(f.mdoc), (b) => mdoc.parse(b)] };
  for (const [name, [whole, read]] of Object.entries(readers)) for (let i = 0; i < 1500; i++) {
    const b = Uint8Array.from(whole), at = Math.floor(Math.random() * b.length);
    b[at] = i % 3 ? b[at] ^ (1 << i % 8) : i & 255;
    const cut = i % 7 ? b : b.slice(0, at);
    try { await read(cut); } catch (e) { assert.equal(typeof e.code, "string", `${name} ${Buffer.from(cut).toString("base64")}: ${e.stack}`); }
  }
  const texts = { sdjwt: [f.sdjwt, (s) => sdjwt.parse(s)], token: [f.trust, async (s) => trust.read(s, f.operator, [anchor], now)], status: [f.status, async (s) => status.read(utf8(s), jwtType, f.list_uri, await list(), now)], json: [JSON.stringify({ a: [{ b: "c" }] }), (s) => json(s)] };
  for (const [name, [whole, read]] of Object.entries(texts)) for (let i = 0; i < 200; i++) {
    const at = Math.floor(Math.random() * whole.length), s = whole.slice(0, at) + "Az09-_~.{}[]\"\\ \u0000é"[i % 18] + whole.slice(at + (i % 2));
    try { await read(s); } catch (e) { assert.equal(typeof e.code, "string", `${name} ${s}: ${e.stack}`); }
  }
});

test("claims of other kinds than they should be", async () => {
  const { privateKey, jwk } = await jose.newPair(), odd = [null, 1, "x", [], {}, [1], { a: 1 }, true];
  for (const v of odd) for (const k of ["_sd", "_sd_alg", "vct", "...", "status", "cnf"]) {
    const s = (await jose.sign(privateKey, { typ: "dc+sd-jwt" }, { vct: "x", [k]: v })) + "~";
    try { await sdjwt.parse(s); } catch (e) { assert.equal(typeof e.code, "string", e.stack); }
  }
  for (const v of odd) for (const k of ["x5c", "typ", "alg", "crit"]) {
    const s = (await jose.sign(privateKey, { typ: "dc+sd-jwt", [k]: v }, { vct: "x" })) + "~";
    try { await sdjwt.parse(s); } catch (e) { assert.equal(typeof e.code, "string", e.stack); }
  }
  for (const v of odd) for (const q of [v, { credentials: v }, { credentials: [v] }, { credentials: [{ id: "a", format: "dc+sd-jwt", meta: v }] }, { credentials: [{ id: "a", format: "dc+sd-jwt", meta: { vct_values: ["a"] }, claims: [v] }] }, { credentials: [{ id: "a", format: "dc+sd-jwt", meta: { vct_values: ["a"] }, claims: [{ path: v }] }], credential_sets: v }])
    try { dcql.check(q); } catch (e) { assert.equal(typeof e.code, "string", e.stack); }
  for (const v of odd) for (const k of ["x", "y", "kty", "crv"]) await assert.rejects(() => jose.publicKey({ ...jwk, [k]: v === "x" ? 5 : v }), (e) => typeof e.code === "string");
});

test("trust list", async () => {
  const l = await list();
  assert.equal(l.issuers.length, 2);
  assert.ok(l.fresh(now) && !l.fresh(now + 3601));
  await refuses("trust_list", () => trust.read(f.trust, "https://other.example", [anchor], now));
  await refuses("trust_list", () => trust.read(f.trust, f.operator, [anchor], now - 1000));
  await refuses("untrusted_issuer", () => trust.read(f.trust, f.operator, [], now));
  const [h, p, s] = f.trust.split(".");
  await refuses("bad_signature", () => trust.read([h, p, (s[0] === "A" ? "B" : "A") + s.slice(1)].join("."), f.operator, [anchor], now));
  await refuses("unsupported", () => trust.read(f.sdjwt.split("~")[0], f.operator, [anchor], now));
});

test("status list", async () => {
  const l = await list(), s = await read(f.status, f.list_uri, l, now);
  assert.deepEqual([4, 5, 6, 4095].map((i) => status.word(status.at(s, i))), ["revoked", "valid", "suspended", "revoked"]);
  await refuses("status_unknown", () => status.at(s, 4096));
  await refuses("status_unknown", () => read(f.status, f.list_uri + "x", l, now));
  await refuses("status_unknown", () => read(f.status, f.list_uri, l, now + 3700));
  await refuses("untrusted_issuer", () => read(f.status_alien, f.list_uri, l, now));
  await refuses("status_unknown", () => read(f.status_bomb, f.list_uri, l, now));
  await refuses("unsupported", () => read(f.trust, f.list_uri, l, now));
  // The published vector: 1 0 0 1 1 1 0 1 1 1 0 0 0 1 0 1 as b9 a3.
  const data = await inflate(unb64url("eNrbuRgAAhcBXQ"), 100), v = { bits: 1, data };
  assert.deepEqual(Array.from({ length: 16 }, (_, i) => status.at(v, i)), [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
});

test("sd-jwt", async () => {
  const t = await sdjwt.parse(f.sdjwt), l = await list();
  await t.token.verify(await l.key(t.token.chain, t.claims.vct, now));
  assert.equal(t.claims.land.title, "12345/06");
  assert.deepEqual(t.claims.uses, ["home", "shop"]);
  assert.equal(t.binding, "");
  await refuses("untrusted_issuer", async () => l.key((await sdjwt.parse(f.sdjwt_alien)).token.chain, t.claims.vct, now));
  await refuses("untrusted_issuer", () => l.key(t.token.chain, "urn:example:other:1", now));
  const parts = f.sdjwt.split("~");
  const fake = b64url(utf8(JSON.stringify(["salt", "holder", "Karim"])));
  await refuses("unreadable", () => sdjwt.parse([parts[0], fake, ...parts.slice(1)].join("~")));
  await refuses("unreadable", () => sdjwt.parse([...parts.slice(0, -1), parts[1], ""].join("~")));
  await refuses("unreadable", () => sdjwt.parse(parts[0]));
  const chosen = await sdjwt.parse(sdjwt.choose(t, [["land", "title"], ["uses", 1]]));
  assert.deepEqual(chosen.claims.land, { title: "12345/06", area: 140 });
  assert.deepEqual(chosen.claims.uses, ["shop"]);
  assert.equal(chosen.claims.holder, undefined);
});

test("sd-jwt: what must be refused", async () => {
  const { privateKey } = await jose.newPair();
  const digest = async (d) => b64url(await hash(utf8(d)));
  const d = (...v) => b64url(utf8(JSON.stringify(v)));
  const make = async (claims, disclosures, head = {}) => [await jose.sign(privateKey, { typ: "dc+sd-jwt", ...head }, { vct: "x", ...claims }), ...disclosures, ""].join("~");
  const a = d("salt", "a", 1), two = d("salt", 1), vct = d("salt", "exp", 1), dots = d("salt", "...", 1), four = d("s", "a", 1, 2);
  const bad = [
    [{ _sd: [await digest(a), await digest(a)] }, [a]], // a digest twice
    [{ _sd: [await digest(two)] }, [two]], // an element where a member belongs
    [{ list: [{ "...": await digest(a) }] }, [a]], // a member where an element belongs
    [{ _sd: [await digest(a)], a: 2 }, [a]], // the name is there
    [{ _sd: [await digest(vct)] }, [vct]], // may not be hidden
    [{ _sd: [await digest(dots)] }, [dots]], // a reserved name
    [{ _sd: [await digest(four)] }, [four]], // four parts
    [{ list: [{ "...": await digest(two), more: 1 }] }, [two]],
    [{ vct: 1 }, []],
  ];
  for (const [claims, disclosures] of bad) await refuses("unreadable", async () => sdjwt.parse(await make(claims, disclosures)));
  await refuses("unsupported", async () => sdjwt.parse(await make({ _sd_alg: "md5" }, [])));
  await refuses("unsupported", async () => sdjwt.parse(await make({}, [], { typ: "vc+sd-jwt" })));
  await refuses("unsupported", async () => sdjwt.parse(await make({}, [], { alg: "none" })));
  await refuses("unsupported", async () => sdjwt.parse(await make({}, [], { alg: "HS256" })));
  const fine = await sdjwt.parse(await make({ _sd: [await digest(a), "decoy"], list: [{ "...": "decoy2" }, 1] }, [a]));
  assert.deepEqual({ ...fine.claims }, { vct: "x", list: [1], a: 1 });
});

test("mdoc", async () => {
  const m = await mdoc.parse(unb64url(f.mdoc)), l = await list();
  await m.auth.verify(await l.key(m.chain, m.docType, now));
  assert.deepEqual(m.claims["org.example.1"], { family_name: "EL MITAL", birth_date: "1990-04-12", age_over_18: true, portrait: "AQID" });
  assert.deepEqual(m.status, { idx: 6, uri: f.list_uri });
  assert.equal(m.jwk.x, f.holder_jwk.x);
  const b = unb64url(f.mdoc), at = Buffer.from(b).indexOf("EL MITAL");
  b[at] ^= 1;
  await refuses("bad_signature", () => mdoc.parse(b));
});

test("dcql", async () => {
  const held = [{ format: "dc+sd-jwt", type: "a", claims: { n: 1, s: "x", list: [{ k: 1 }, { k: 2 }], o: { p: true } } }, { format: "dc+sd-jwt", type: "b", claims: { s: "y" } }];
  const q = (c, more = {}) => dcql.check({ credentials: [{ id: "q", format: "dc+sd-jwt", meta: { vct_values: ["a"] }, ...c }], ...more });
  const paths = (c) => dcql.evaluate(q(c), held)[0].matches[0].paths;
  assert.deepEqual(paths({}), []);
  assert.deepEqual(paths({ claims: [{ path: ["list", null, "k"] }] }), [["list", 0, "k"], ["list", 1, "k"]]);
  assert.deepEqual(paths({ claims: [{ path: ["list", null, "k"], values: [2] }] }), [["list", 1, "k"]]);
  assert.deepEqual(paths({ claims: [{ id: "a", path: ["zz"] }, { id: "b", path: ["o", "p"], values: [true] }], claim_sets: [["a"], ["b"]] }), [["o", "p"]]);
  for (const c of [{ claims: [{ path: ["zz"] }] }, { claims: [{ path: ["n"], values: ["1"] }] }, { claims: [{ path: ["s", 0] }] }, { meta: { vct_values: ["c"] } }, { format: "mso_mdoc", meta: { doctype_value: "a" } },
    { trusted_authorities: [{ type: "aki", values: ["AA"] }] }]) await refuses("query_not_met", () => dcql.evaluate(q(c), held));
  for (const c of [{ claims: [] }, { claims: [{ path: [] }] }, { claims: [{ path: [-1] }] }, { claims: [{ path: ["a"] }], claim_sets: [["x"]] }, { meta: {} }, { id: "a b" }, { claims: [{ path: ["a"], values: [1.5] }] }]) await refuses("invalid_request", () => q(c));
  const two = { credentials: [{ id: "a", format: "dc+sd-jwt", meta: { vct_values: ["none"] } }, { id: "b", format: "dc+sd-jwt", meta: { vct_values: ["b"] } }] };
  await refuses("query_not_met", () => dcql.evaluate(dcql.check(two), held));
  const sets = dcql.check({ ...two, credential_sets: [{ options: [["a"], ["b"]] }, { options: [["a"]], required: false }] });
  assert.deepEqual(dcql.evaluate(sets, held).map((x) => x.question.id), ["b"]);
});

test("presentation", async () => {
  const r = jose.parse(f.request, ["oauth-authz-req+jwt"]);
  await r.verify(await r.chain[0].key());
  assert.equal("x509_hash:" + b64url(await r.chain[0].fingerprint()), f.client_id);
  const c = r.claims, key = await jose.privateKey(unb64(f.holder_pkcs8));
  const s = await sdjwt.parse(f.sdjwt), m = await mdoc.parse(unb64url(f.mdoc));
  const held = [{ format: "dc+sd-jwt", type: s.claims.vct, claims: s.claims }, { format: "mso_mdoc", type: m.docType, claims: m.claims }];
  const found = dcql.evaluate(dcql.check(c.dcql_query), held);
  const permit = await sdjwt.present(sdjwt.choose(s, found[0].matches[0].paths), key, { aud: c.client_id, nonce: c.nonce, now });
  const to = jwe.choose(c.client_metadata.jwks);
  const session = await mdoc.transcript(c.client_id, c.nonce, await jose.thumbprint(to), c.response_uri);
  const licence = b64url(await mdoc.present(m, found[1].matches[0].paths, key, session));
  const plain = utf8(JSON.stringify({ vp_token: { permit: [permit], licence: [licence] }, state: c.state }));
  answers.response = await jwe.seal(plain, to, jwe.select(c.client_metadata.encrypted_response_enc_values_supported));
});

test("jwe there and back", async () => {
  const own = await jwe.newKey();
  for (const enc of ["A128GCM", "A256GCM"]) assert.deepEqual(await jwe.open(await jwe.seal(utf8("salma"), own.jwk, enc), own), utf8("salma"));
  const text = await jwe.seal(utf8("salma"), own.jwk, "A128GCM"), other = await jwe.newKey();
  await refuses("unreadable", () => jwe.open(text, other));
  await refuses("unreadable", () => jwe.open(text, { ...other, jwk: own.jwk }));
  await refuses("invalid_request", () => jwe.choose({ keys: [{ ...own.jwk, d: "x" }] }));
  await refuses("invalid_request", () => jwe.choose({ keys: [{ ...own.jwk, alg: "RSA-OAEP" }] }));
  await refuses("invalid_request", () => jwe.select(["A128CBC-HS256"]));
});

test("proofs", async () => {
  const key = await jose.newPair();
  answers.dpop = await proofs.dpop(key, { method: "POST", url: f.operator + "/issue/token?x=1#y", now, nonce: "dpop-nonce", token: "token" });
  answers.thumbprint = b64url(await jose.thumbprint(key.jwk));
  answers.proofs = await Promise.all([1, 2, 3].map(async () => proofs.holder(await jose.newPair(), { issuer: f.operator, nonce: "c-nonce", now })));
  answers.instance = key.jwk;
  answers.pop = await proofs.instance(key.privateKey, { client: "diwan-wallet", server: f.operator, challenge: "challenge", now });
  await assert.rejects(() => crypto.subtle.exportKey("pkcs8", key.privateKey));
});

test("paper", async () => {
  const l = await list(), p = await paper.open(paper.find(f.paper), l, now);
  assert.equal(p.number, "AB12-CD34");
  assert.deepEqual(Object.fromEntries(p.claims.map((c) => [c.name, c.value])), { holder: "Salma", on: "2026-03-01", floors: 2 });
  assert.equal(p.issuer.name.fr, "Bureau");
  assert.deepEqual(p.status, { idx: 4, uri: f.list_uri });
  for (const s of [f.paper + "\n", " " + f.paper, "https://x.example/v#" + encodeURIComponent(f.paper), "https://x.example/v#" + f.paper.replace(/%/g, "%25").replace(/ /g, "%20")]) assert.equal(paper.find(s), f.paper);
  await refuses("bad_signature", () => paper.open(f.paper_alien, l, now));
  await refuses("unsupported", () => paper.find("HC1:ABC"));
  for (let i = 10; i < f.paper.length; i += 37) {
    const s = f.paper.slice(0, i) + (f.paper[i] === "A" ? "B" : "A") + f.paper.slice(i + 1);
    await assert.rejects(() => paper.open(s, l, now), (e) => typeof e.code === "string");
  }
});

test("who is registered to ask", async () => {
  const list = await trust.read(f.trust, f.operator, [new Certificate(unb64(f.anchor))], now);
  const find = async (look) => ({ answer: await look(list), held: { list } });
  for (const [name, [cert, token]] of Object.entries(f.registrations)) {
    const asks = () => trust.registered([new Certificate(unb64(cert))], token, now, find);
    if (name === "good") await asks();
    else await assert.rejects(asks, (e) => ["untrusted_issuer", "bad_signature", "unreadable"].includes(e.code), name);
  }
});

test("a status list as a CWT, and one that is dense", async () => {
  const l = await list(), cwt = unb64url(f.status_cwt), get = (b, uri = f.list_uri, at = now, type = cwtType) => status.read(b, type, uri, l, at);
  const s = await get(cwt);
  assert.deepEqual([4, 5, 6].map((i) => status.word(status.at(s, i))), ["revoked", "valid", "suspended"]);
  assert.equal(s.ttl, 60);
  await refuses("status_unknown", () => get(cwt, f.list_uri + "x"));
  await refuses("status_unknown", () => get(cwt, f.list_uri, now + 3700));
  await refuses("unsupported", () => get(cwt, f.list_uri, now, "text/plain"));
  await refuses("untrusted_issuer", () => get(unb64url(f.status_cwt_alien)));
  for (const i of [3, 60, cwt.length - 70, cwt.length - 2]) {
    const changed = Uint8Array.from(cwt);
    changed[i] ^= 1;
    await assert.rejects(() => get(changed), (e) => typeof e.code === "string");
  }
  assert.ok(f.status_dense.length > 1 << 18);
  const dense = await read(f.status_dense, f.list_uri, l, now);
  assert.equal(dense.data.length, 1 << 18);
});
