// What the libraries leave to whoever uses them: hashes, signatures and certificates,
// done with Node and jose. Nothing here knows anything of the program under test.
import { createHash, createPrivateKey, createPublicKey, randomBytes, X509Certificate, sign as signSignature, verify as verifySignature } from 'node:crypto'
import * as jose from 'jose'
import { CoseKey } from '@owf/mdoc'

const hashNames = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' }

export const hash = (data, name) => new Uint8Array(createHash(hashNames[name] ?? name).update(data).digest())
export const b64 = (s) => new Uint8Array(Buffer.from(s, 'base64'))

// newKey returns a fresh key on P-256, both halves as JSON Web Keys.
export async function newKey() {
	const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true })
	return { publicJwk: await jose.exportJWK(publicKey), privateJwk: await jose.exportJWK(privateKey) }
}

const thumbprint = (jwk) => jose.calculateJwkThumbprint({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y })
const certificateKey = (der) => new X509Certificate(der).publicKey

// callbacks are for the libraries of OpenID4VC. keys are the private keys that may be
// needed, as JSON Web Keys; opening is the key to decrypt answers with.
export function callbacks(keys, opening) {
	const find = async (jwk) => {
		const wanted = await thumbprint(jwk)
		for (const k of keys) if ((await thumbprint(k)) === wanted) return k
		throw new Error('no such key')
	}
	return {
		fetch,
		hash: (data, name) => hash(data, name),
		generateRandom: (n) => new Uint8Array(randomBytes(n)),
		async signJwt(signer, { header, payload }) {
			const publicJwk = signer.method === 'x5c' ? certificateKey(b64(signer.x5c[0])).export({ format: 'jwk' }) : signer.publicJwk
			const key = await jose.importJWK(await find(publicJwk), signer.alg)
			return { jwt: await new jose.SignJWT(payload).setProtectedHeader({ ...header, alg: signer.alg }).sign(key), signerJwk: publicJwk }
		},
		async verifyJwt(signer, { compact }) {
			const key = signer.method === 'x5c' ? certificateKey(b64(signer.x5c[0])) : await jose.importJWK(signer.publicJwk, signer.alg)
			try {
				await jose.compactVerify(compact, key)
				return { verified: true, signerJwk: signer.publicJwk ?? key.export({ format: 'jwk' }) }
			} catch {
				return { verified: false }
			}
		},
		async decryptJwe(jwe) {
			try {
				const { plaintext } = await jose.compactDecrypt(jwe, await jose.importJWK(opening, 'ECDH-ES'))
				return { decrypted: true, decryptionJwk: opening, payload: new TextDecoder().decode(plaintext) }
			} catch {
				return { decrypted: false }
			}
		},
		getX509CertificateMetadata(certificate) {
			const names = (new X509Certificate(b64(certificate)).subjectAltName ?? '').split(', ')
			const of = (kind) => names.filter((n) => n.startsWith(kind)).map((n) => n.slice(kind.length))
			return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') }
		},
		async encryptJwe(to, data) {
			const jwe = await new jose.CompactEncrypt(new TextEncoder().encode(data)).setProtectedHeader({ alg: to.alg, enc: to.enc, kid: to.publicJwk.kid }).encrypt(await jose.importJWK(to.publicJwk, to.alg))
			return { jwe, encryptionJwk: to.publicJwk }
		},
	}
}

// checkChain checks a chain, leaf first, up to an anchor that is not in it.
export function checkChain(chain, anchor, now = new Date()) {
	const certs = [...chain, anchor].map((der) => new X509Certificate(der))
	for (let i = 0; i + 1 < certs.length; i++) {
		if (!certs[i].checkIssued(certs[i + 1]) || !certs[i].verify(certs[i + 1].publicKey)) throw new Error('the certificates do not lead to the anchor')
	}
	for (const c of certs) if (now < new Date(c.validFrom) || now > new Date(c.validTo)) throw new Error('a certificate is not valid now')
	if (Buffer.from(chain.at(-1)).equals(Buffer.from(anchor))) throw new Error('the anchor is sent along')
}

// verifyText checks a JOSE signature (ES256) over a text.
export function verifyText(key, text, signature) {
	return verifySignature('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
}

// signText signs a text (ES256) as JOSE and COSE write it, in base64url.
export function signText(jwk, text) {
	return signSignature('sha256', Buffer.from(text), { key: createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

// signedByChain returns a check for @sd-jwt that takes the key from x5c and holds the
// chain to the anchor.
export function signedByChain(anchor) {
	return (text, signature) => {
		const header = JSON.parse(Buffer.from(text.split('.')[0], 'base64url').toString())
		if (header.alg !== 'ES256') throw new Error('another algorithm')
		const chain = header.x5c.map(b64)
		checkChain(chain, anchor)
		return verifyText(certificateKey(chain[0]), text, signature)
	}
}

const asKey = (coseKey) => createPublicKey({ key: coseKey.jwk, format: 'jwk' })

// mdocContext is what @owf/mdoc needs. A proof by MAC is not one of this profile.
export const mdocContext = {
	crypto: {
		random: (n) => new Uint8Array(randomBytes(n)),
		digest: ({ digestAlgorithm, bytes }) => hash(bytes, digestAlgorithm),
		calculateEphemeralMacKey: () => { throw new Error('no MAC') },
	},
	cose: {
		sign1: {
			sign: () => { throw new Error('nothing is signed here') },
			verify: ({ key, sign1 }) => verifySignature('sha256', sign1.toBeSigned, { key: asKey(key), dsaEncoding: 'ieee-p1363' }, sign1.signature),
		},
		mac0: { sign: () => { throw new Error('no MAC') }, verify: () => { throw new Error('no MAC') } },
	},
	x509: {
		getIssuerNameField: ({ certificate, field }) => new X509Certificate(certificate).issuer.split('\n').filter((l) => l.startsWith(field + '=')).map((l) => l.slice(field.length + 1)),
		getPublicKey: ({ certificate }) => CoseKey.fromJwk(certificateKey(certificate).export({ format: 'jwk' })),
		verifyCertificateChain: ({ trustedCertificates, x5chain, now }) => checkChain(x5chain, trustedCertificates[0], now),
		getCertificateData: ({ certificate }) => {
			const c = new X509Certificate(certificate)
			return { issuerName: c.issuer, subjectName: c.subject, serialNumber: c.serialNumber, thumbprint: c.fingerprint256, notBefore: new Date(c.validFrom), notAfter: new Date(c.validTo), pem: c.toString() }
		},
	},
}

export { certificateKey }
