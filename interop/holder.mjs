// A wallet that others wrote receives documents of the program: OpenID4VCI 1.0 with a
// pre-authorized code, DPoP and a batch (@openid4vc), then checks them with libraries of
// others again (@sd-jwt, @owf/mdoc), and shows them to the program's verifier.
import { Openid4vciClient } from '@openid4vc/openid4vci'
import { clientAuthenticationAnonymous, setGlobalConfig } from '@openid4vc/oauth2'
import { b64, callbacks, newKey } from './crypto.mjs'
import { altered, mdoc, refused, sameKey, sdJwt } from './documents.mjs'
import { present } from './present.mjs'
import { check, input, must } from './report.mjs'

setGlobalConfig({ allowInsecureUrls: true }) // the program is on this machine

const job = await input()
const anchor = b64(job.anchor)

for (const o of job.offers) {
	const held = await check(`${o.name}: received and checked`, async () => {
		const session = await newKey()
		const keys = [await newKey(), await newKey()]
		const client = new Openid4vciClient({ callbacks: { ...callbacks([session, ...keys].map((k) => k.privateJwk)), clientAuthentication: clientAuthenticationAnonymous() } })
		const credentialOffer = await client.resolveCredentialOffer(o.link)
		const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
		const signer = (k) => ({ method: 'jwk', alg: 'ES256', publicJwk: k.publicJwk })
		const { accessTokenResponse, dpop } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: o.tx_code, dpop: { signer: signer(session) } })
		must(accessTokenResponse.token_type === 'DPoP', 'the token is not bound to a key')
		const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
		const proofs = []
		for (const k of keys) {
			proofs.push((await client.createCredentialRequestJwtProof({ issuerMetadata, credentialConfigurationId: o.configuration, nonce, signer: signer(k) })).jwt)
		}
		const got = await client.retrieveCredentials({ issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId: o.configuration, proofs: { jwt: proofs }, dpop })
		const answer = got.credentialResponse
		must(answer.credentials.length === keys.length, `${answer.credentials.length} copies`)
		for (const [i, { credential }] of answer.credentials.entries()) {
			if (issuerMetadata.credentialIssuer.credential_configurations_supported[o.configuration].format === 'mso_mdoc') {
				const d = await mdoc(credential, anchor)
				await refused('an altered document', () => mdoc(altered(credential, 0.9), anchor))
				await refused('a document under another anchor', () => mdoc(credential, b64(job.stranger)))
				const object = d.issuerAuth.mobileSecurityObject
				must(object.docType === 'org.iso.18013.5.1.mDL', object.docType)
				must(await sameKey(object.deviceKeyInfo.deviceKey.jwk, keys[i].publicJwk), 'it is bound to another key')
				const says = d.getPrettyClaims('org.iso.18013.5.1')
				must(says.family_name === o.family_name, 'the name is another')
				const right = says.driving_privileges[0]
				must((right instanceof Map ? right.get('vehicle_category_code') : right.vehicle_category_code) === 'B', 'the category is another')
				must(says.portrait instanceof Uint8Array && says.portrait[0] === 0xff && says.un_distinguishing_sign, 'the portrait or the sign is not there')
			} else {
				const { payload, header } = await sdJwt(credential, anchor)
				await refused('an altered document', () => sdJwt(altered(credential, 0.1), anchor))
				await refused('a document under another anchor', () => sdJwt(credential, b64(job.stranger)))
				must(header.typ === 'dc+sd-jwt', header.typ)
				must(payload.family_name === o.family_name, 'the name is another')
				must(await sameKey(payload.cnf.jwk, keys[i].publicJwk), 'it is bound to another key')
			}
		}
		await client.sendNotification({ issuerMetadata, accessToken: accessTokenResponse.access_token, notification: { notificationId: answer.notification_id, event: 'credential_accepted' }, dpop: { nonce: got.dpop?.nonce ?? dpop.nonce, signer: signer(session) } })
		return { document: answer.credentials[0].credential, key: keys[0] }
	})
	if (o.asked) {
		await check(`${o.name}: shown`, async () => {
			must(held, 'nothing was received')
			await present(o.asked, held.document, held.key)
		})
	}
}
