// The wallet that others wrote answers a verifier: the request is read, the answer made
// and encrypted by @openid4vc, the presentation by @sd-jwt or @owf/mdoc.
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { CoseKey, DeviceRequest, DeviceResponse, DocRequest, IssuerSigned, ItemsRequest, SessionTranscript, SignatureAlgorithm } from '@owf/mdoc'
import * as jose from 'jose'
import { randomBytes } from 'node:crypto'
import { b64, callbacks, hash, mdocContext, signText } from './crypto.mjs'
import { must } from './report.mjs'

// present follows a link and shows a document that is bound to a key. It returns the
// address at which the verifier has the person go on.
export async function present(link, document, key) {
	const client = new Openid4vpClient({ callbacks: callbacks([]) })
	const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link })
	const { authorizationRequestPayload: request, client: who } = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params })
	must(who.prefix === 'x509_hash', who.prefix)
	const [question] = request.dcql_query.credentials
	const shown = question.format === 'mso_mdoc' ? await showMDoc(request, question, document, key) : await showSDJWT(request, question, document, key)
	const answer = await client.createOpenid4vpAuthorizationResponse({
		authorizationRequestPayload: request, authorizationResponsePayload: { vp_token: { [question.id]: [shown] } },
		jarm: { encryption: { nonce: randomBytes(16).toString('base64url') }, serverMetadata: { authorization_signing_alg_values_supported: [], authorization_encryption_alg_values_supported: ['ECDH-ES'], authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM'] } },
	})
	const { response } = await client.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload: request, authorizationResponsePayload: answer.authorizationResponsePayload, jarm: answer.jarm })
	must(response.status === 200, `the verifier answers ${response.status} ${await response.clone().text()}`)
	return (await response.json()).redirect_uri
}

async function showSDJWT(request, question, document, key) {
	const wallet = new SDJwtVcInstance({ hasher: (data, name) => hash(typeof data === 'string' ? Buffer.from(data) : data, name), kbSigner: (text) => signText(key.privateJwk, text), kbSignAlg: 'ES256' })
	const frame = Object.fromEntries(question.claims.map(({ path }) => [path[0], true]))
	return await wallet.present(document, frame, { kb: { payload: { iat: Math.floor(Date.now() / 1000), aud: request.client_id, nonce: request.nonce } } })
}

async function showMDoc(request, question, document, key) {
	const [enc] = request.client_metadata.jwks.keys
	const sessionTranscript = await SessionTranscript.forOid4Vp({ clientId: request.client_id, nonce: request.nonce, responseUri: request.response_uri, jwkThumbprint: b64(await jose.calculateJwkThumbprint(enc)) }, mdocContext)
	const namespaces = {}
	for (const { path: [space, name] } of question.claims) (namespaces[space] ??= {})[name] = false
	const deviceRequest = DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType: question.meta.doctype_value, namespaces }) })] })
	const { kty, crv, x, y, d } = key.privateJwk
	const signingKey = CoseKey.fromJwk({ kty, crv, x, y, d, alg: 'ES256' })
	const sign1 = { ...mdocContext.cose.sign1, sign: ({ toBeSigned }) => new Uint8Array(Buffer.from(signText(key.privateJwk, toBeSigned), 'base64url')) }
	const response = await DeviceResponse.createWithDeviceRequest({ deviceRequest, sessionTranscript, issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(document)], signature: { signingKey, algorithm: SignatureAlgorithm.ES256 } }, { ...mdocContext, cose: { ...mdocContext.cose, sign1 } })
	return response.encodedForOid4Vp
}
