package vci

import "diwan/protocol/oauth"

// Codes of the endpoints of an issuer (OpenID4VCI 1.0 §8.3.1.2, §9.3, §11.3). All are
// answered with status 400 and never encrypted.
const (
	InvalidCredentialRequest   oauth.Code = "invalid_credential_request"
	UnknownConfiguration       oauth.Code = "unknown_credential_configuration"
	UnknownIdentifier          oauth.Code = "unknown_credential_identifier"
	InvalidProof               oauth.Code = "invalid_proof"
	InvalidNonce               oauth.Code = "invalid_nonce"
	InvalidEncryption          oauth.Code = "invalid_encryption_parameters"
	RequestDenied              oauth.Code = "credential_request_denied"
	InvalidTransaction         oauth.Code = "invalid_transaction_id"
	InvalidNotification        oauth.Code = "invalid_notification_id"
	InvalidNotificationRequest oauth.Code = "invalid_notification_request"
)
