package vp

import "diwan/protocol/oauth"

// Codes with which a wallet refuses, beside those of package oauth (OpenID4VP 1.0
// §8.5).
const (
	FormatsNotSupported     oauth.Code = "vp_formats_not_supported"
	InvalidRequestURIMethod oauth.Code = "invalid_request_uri_method"
	InvalidTransactionData  oauth.Code = "invalid_transaction_data"
	WalletUnavailable       oauth.Code = "wallet_unavailable"
)
