// A verifier that others wrote asks the wallet of the program: OpenID4VP 1.0 with a signed
// request by reference, x509_hash, DCQL and an encrypted answer (@openid4vc), and checks
// what it is shown with libraries of others again (@sd-jwt, @owf/mdoc).
//
// It says the link to follow, waits for one answer to each request, and says how it went.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { setGlobalConfig } from '@openid4vc/oauth2'
import { calculateX509HashClientIdPrefixValue, Openid4vpVerifier } from '@openid4vc/openid4vp'
import { DeviceResponse, SessionTranscript } from '@owf/mdoc'
import * as jose from 'jose'
import { b64, callbacks, mdocContext, newKey } from './crypto.mjs'
import { refused, sdJwt } from './documents.mjs'
import { check, input, must, say } from './report.mjs'

setGlobalConfig({ allowInsecureUrls: true }) // the wallet is on this machine

const job = await input()
const anchor = b64(job.anchor)
const requests = new Map()

const server = createServer((req, res) => {
	const at = new URL(req.url, 'http://x')
	const r = requests.get(at.searchParams.get('id'))
	if (!r) return res.writeHead(404).end()
	if (req.method === 'GET') return res.writeHead(200, { 'Content-Type': 'application/oauth-authz-req+jwt' }).end(r.object)
	let text = ''
	req.on('data', (piece) => { text += piece })
	req.on('end', () => {
		res.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
		r.answered(Object.fromEntries(new URLSearchParams(text)))
	})
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const base = `http://127.0.0.1:${server.address().port}/`

for (const ask of job.asks) {
	await check(`${ask.name}: asked, shown and checked`, async () => {
		const id = randomBytes(16).toString('hex')
		const key = await newKey()
		const enc = { ...key.publicJwk, kid: id, use: 'enc', alg: 'ECDH-ES' }
		const tools = callbacks([job.key], { ...key.privateJwk, kid: id, alg: 'ECDH-ES' })
		const verifier = new Openid4vpVerifier({ callbacks: tools })
		const made = await verifier.createOpenId4vpAuthorizationRequest({
			authorizationRequestPayload: {
				response_type: 'vp_token', response_mode: 'direct_post.jwt', response_uri: `${base}?id=${id}`, aud: 'https://self-issued.me/v2',
				client_id: 'x509_hash:' + await calculateX509HashClientIdPrefixValue({ x509Certificate: job.chain[0], hash: tools.hash }),
				nonce: randomBytes(32).toString('base64url'), state: randomBytes(16).toString('base64url'), dcql_query: ask.query,
				client_metadata: {
					jwks: { keys: [enc] }, encrypted_response_enc_values_supported: ['A256GCM'],
					vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] }, mso_mdoc: { issuerauth_alg_values: [-7], deviceauth_alg_values: [-7] } },
				},
			},
			jar: { requestUri: `${base}?id=${id}`, expiresInSeconds: 300, jwtSigner: { method: 'x5c', x5c: job.chain, alg: 'ES256' } },
		})
		const request = made.authorizationRequestPayload
		const answer = new Promise((answered) => requests.set(id, { object: made.jar.authorizationRequestJwt, answered }))
		say({ link: made.authorizationRequest })
		const parsed = await verifier.parseOpenid4vpAuthorizationResponse({ authorizationResponse: await answer, authorizationRequestPayload: request, callbacks: tools })
		const presentations = Object.values(parsed.dcql.presentations)
		must(presentations.length === 1, `${presentations.length} presentations`)
		const text = [presentations[0]].flat()[0]
		if (ask.format === 'mso_mdoc') {
			const transcript = await SessionTranscript.forOid4Vp({ clientId: request.client_id, nonce: request.nonce, responseUri: request.response_uri, jwkThumbprint: b64(await jose.calculateJwkThumbprint(enc)) }, mdocContext)
			const shown = DeviceResponse.fromEncodedForOid4Vp(text)
			await shown.verify({ sessionTranscript: transcript, trustedCertificates: [anchor] }, mdocContext)
			const another = await SessionTranscript.forOid4Vp({ clientId: request.client_id, nonce: 'another', responseUri: request.response_uri, jwkThumbprint: b64(await jose.calculateJwkThumbprint(enc)) }, mdocContext)
			await refused('an answer to another request', () => shown.verify({ sessionTranscript: another, trustedCertificates: [anchor] }, mdocContext))
			const names = Object.keys(shown.documents[0].issuerSigned.getPrettyClaims('org.iso.18013.5.1')).sort()
			must(JSON.stringify(names) === JSON.stringify(ask.shows), `shown: ${names}`)
			return
		}
		const { payload, kb } = await sdJwt(text, anchor, request.nonce)
		await refused('an answer to another request', () => sdJwt(text, anchor, 'another'))
		must(kb.payload.aud === request.client_id, 'the proof is for another')
		const names = ask.hidden.concat(ask.shows).filter((n) => n in payload).sort()
		must(JSON.stringify(names) === JSON.stringify(ask.shows), `shown: ${names}`)
	})
}
server.close()
