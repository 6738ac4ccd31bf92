// Requests, offers and links from strangers: what is read, and what must be refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { address } from "./app/core/address.js";
import { unb64 } from "./app/core/bytes.js";
import * as jose from "./app/core/jose.js";
import { preAuthorized, readOffer } from "./app/core/offer.js";
import * as request from "./app/core/request.js";
import * as links from "./app/links.js";

const f = JSON.parse(readFileSync("fixtures.json", "utf8"));
const now = f.now, nonce = "wallet-nonce";
const refuses = (code, run) => assert.rejects(async () => run(), (e) => {
  if (e.code !== code) throw new Error(`code ${e.code} (${e.message}), want ${code}`, { cause: e });
  return true;
});
const key = await jose.privateKey(unb64(f.verifier_pkcs8));
const good = jose.parse(f.request, [request.type]).claims;
const make = (change = {}, head = {}) => {
  const claims = { ...good, ...change };
  for (const k of Object.keys(claims)) if (claims[k] === undefined) delete claims[k];
  return jose.sign(key, { typ: request.type, x5c: [f.verifier_cert], ...head }, claims);
};

test("a request", async () => {
  const a = await request.read(f.request, f.client_id, nonce, now);
  assert.equal(a.fault, null);
  assert.equal(a.request.uri, "https://bank.example/answer");
  assert.equal(a.request.query.credentials.length, 2);
  assert.equal((await request.read(await make({ unknown: 1, iss: "x" }), f.client_id, nonce, now)).fault, null, "unknown members are ignored");
  assert.equal((await request.read(await make({ aud: ["https://self-issued.me/v2"] }), f.client_id, nonce, now)).fault, null);
});

test("requests that get no answer at all", async () => {
  const refused = (code, change, head, id = f.client_id) => refuses(code, async () => request.read(await make(change, head), id, nonce, now));
  await refused("invalid_request", { client_id: "x509_hash:other" });
  await refused("invalid_request", {}, {}, f.client_id + "x");
  await refused("invalid_request", { aud: "https://other.example" });
  await refused("invalid_request", { aud: ["https://self-issued.me/v2", "x"] });
  await refused("invalid_request", { wallet_nonce: "another" });
  await refused("invalid_request", { wallet_nonce: undefined });
  await refused("invalid_request", { exp: now });
  await refused("invalid_request", { iat: now + 1000 });
  await refused("invalid_request", { redirect_uri: "https://bank.example/" });
  await refused("invalid_request", { response_mode: "fragment" });
  await refused("invalid_request", { state: "a b" });
  await refused("address", { response_uri: "http://bank.example/answer" });
  await refused("address", { response_uri: undefined });
  await refused("address", { response_uri: "https://u:p@bank.example/" });
  await refused("unsupported", {}, { typ: "JWT" });
  await refused("unsupported", {}, { alg: "none" });
  await refused("unsupported", {}, { alg: "HS256" });
  await refused("unsupported", {}, { crit: ["x"] });
  await refused("verifier", {}, { x5c: undefined });
  await refused("verifier", {}, { x5c: [f.anchor] }); // an anchor, which signed itself
  await refused("verifier", {}, { x5c: [f.verifier_cert, f.anchor] });
  await refused("verifier", { client_id: "x509_hash:AAAA" }, {}, "x509_hash:AAAA");
  await refused("verifier", { client_id: "x509_san_dns:bank.example" }, {}, "x509_san_dns:bank.example");
  await refuses("verifier", async () => request.read(f.request, f.client_id, nonce, now - 10 * 86400));
  const parts = f.request.split(".");
  await refuses("bad_signature", async () => request.read([parts[0], parts[1], (parts[2][0] === "A" ? "B" : "A") + parts[2].slice(1)].join("."), f.client_id, nonce, now));
});

test("requests whose verifier is told", async () => {
  const told = async (code, change) => {
    const a = await request.read(await make(change), f.client_id, nonce, now);
    assert.equal(a.fault?.code, code, JSON.stringify(change));
    assert.equal(a.request.uri, good.response_uri);
  };
  await told("invalid_transaction_data", { transaction_data: [] });
  await told("invalid_request", { response_type: "code" });
  await told("invalid_request", { nonce: undefined });
  await told("invalid_request", { nonce: "a b" });
  await told("invalid_request", { dcql_query: undefined });
  await told("invalid_request", { scope: "x" });
  await told("invalid_request", { dcql_query: { credentials: [] } });
  await told("invalid_request", { client_metadata: {} });
  await told("invalid_request", { client_metadata: { ...good.client_metadata, encrypted_response_enc_values_supported: ["A128CBC-HS256"] } });
  await told("vp_formats_not_supported", { dcql_query: { credentials: [{ id: "q", format: "ldp_vc", meta: {} }] } });
  await told("invalid_request", { state: "short", dcql_query: { credentials: [{ id: "q", format: "dc+sd-jwt", meta: { vct_values: ["x"] }, require_cryptographic_holder_binding: false }] } });
});

test("offers", async () => {
  const o = { credential_issuer: "https://issuer.example", credential_configuration_ids: ["a"], grants: { [preAuthorized]: { "pre-authorized_code": "c", tx_code: {} } } };
  assert.deepEqual(readOffer(o), { issuer: o.credential_issuer, configurations: ["a"], code: "c", tx: { numeric: true, length: 0, description: "" }, server: undefined });
  assert.equal(readOffer({ ...o, grants: { [preAuthorized]: { "pre-authorized_code": "c" } } }).tx, null);
  assert.equal(readOffer({ ...o, grants: undefined }).code, undefined);
  const bad = [null, [], { ...o, credential_configuration_ids: [] }, { ...o, credential_configuration_ids: ["a", "a"] }, { ...o, credential_configuration_ids: [1] }, { ...o, grants: [] },
    { ...o, grants: { [preAuthorized]: {} } }, ...[null, 1, { length: -1 }, { length: 1000 }, { input_mode: "x" }, { description: "x".repeat(301) }].map((tx_code) => ({ ...o, grants: { [preAuthorized]: { "pre-authorized_code": "c", tx_code } } }))];
  for (const b of bad) await refuses("offer", () => readOffer(b));
  for (const credential_issuer of [undefined, "http://issuer.example", "ftp://x", "javascript:alert(1)", "https://u@x.example", "https://x.example/#a", "data:,x"]) await refuses("address", () => readOffer({ ...o, credential_issuer }));
});

test("addresses", async () => {
  for (const s of ["https://x.example/a?b", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:1/"]) assert.ok(address(s));
  for (const s of ["http://10.0.0.1/", "http://localhost.evil.example/", "https://x.example/ a", "//x.example", "", "https://" + "x".repeat(3000)]) await refuses("address", () => address(s));
});

test("links", async () => {
  assert.equal(links.read("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fx.example").kind, "offer");
  assert.equal(links.read("haip-vci://?credential_offer=%7B%7D").kind, "offer");
  assert.equal(links.read("openid4vp://?client_id=a&request_uri=https%3A%2F%2Fx.example").kind, "request");
  assert.equal(links.read("https://wallet.example/wallet/?client_id=a&request_uri=https%3A%2F%2Fx.example").kind, "request");
  assert.equal(links.read("https://wallet.example/wallet/?code=a&state=b&iss=c").kind, "back");
  assert.equal(links.read("DW1:ABC").kind, "paper");
  assert.equal(links.read("https://x.example/v#DW1:ABC").kind, "paper");
  for (const s of ["openid4vp://?credential_offer=x", "openid-credential-offer://?client_id=a&request_uri=b", "mailto:a@b", "javascript:alert(1)", "openid4vp://?client_id=a&client_id=b&request_uri=c"]) await refuses("link", () => links.read(s));
});
