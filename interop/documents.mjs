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
