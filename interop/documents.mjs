// Documents as the libraries of others read them.
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { IssuerSigned } from '@owf/mdoc'
import * as jose from 'jose'
import { hash, mdocContext, signedByChain, verifyText } from './crypto.mjs'
import { createPublicKey } from 'node:crypto'

const instance = (anchor) => new SDJwtVcInstance({
	hasher: (data, name) => hash(typeof data === 'string' ? Buffer.from(data) : data, name),
	verifier: signedByChain(anchor),
	kbVerifier: (text, signature, payload) => verifyText(createPublicKey({ key: payload.cnf.jwk, format: 'jwk' }), text, signature),
})

// sdJwt checks an SD-JWT VC with its status, which the library fetches, and returns what
// it says. With a nonce the holder must prove to be one; aud is then in what it says.
export async function sdJwt(text, anchor, nonce) {
	return await instance(anchor).verify(text, nonce ? { keyBindingNonce: nonce } : {})
}

// mdoc checks an ISO document as it is issued.
export async function mdoc(text, anchor) {
	const d = IssuerSigned.fromEncodedForOid4Vci(text)
	await d.verify({ trustedCertificates: [anchor] }, mdocContext)
	return d
}

// sameKey tells whether two public keys are the same.
export const sameKey = async (a, b) => (await jose.calculateJwkThumbprint(a)) === (await jose.calculateJwkThumbprint(b))

// altered changes one character within a text.
export function altered(text, at) {
	const i = Math.floor(text.length * at)
	return text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1)
}

// refused makes sure that the libraries check at all: what was altered must not pass.
export async function refused(what, read) {
	try {
		await read()
	} catch {
		return
	}
	throw new Error(`${what} passes`)
}
