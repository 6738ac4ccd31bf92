package app

import (
	"io"

	"diwan/internal/exchange/gateway"
	"diwan/internal/gov"
)

// GatewayKeysRecipient is to whom keys for the node of a configuration file are sealed.
func GatewayKeysRecipient(config string) (string, error) {
	c, err := gateway.ReadConfig(config)
	if err != nil {
		return "", err
	}
	return gateway.KeysRecipient(c, gov.SystemClock{})
}

// ShareGatewayKeys seals the key of the member's log to another node of the member.
func ShareGatewayKeys(config, recipient string) ([]byte, error) {
	c, err := gateway.ReadConfig(config)
	if err != nil {
		return nil, err
	}
	return gateway.ShareKeys(c, recipient, gov.SystemClock{})
}

// TakeGatewayKeys keeps what another node has sealed to this one.
func TakeGatewayKeys(config string, sealed io.Reader) error {
	c, err := gateway.ReadConfig(config)
	if err != nil {
		return err
	}
	return gateway.TakeKeys(c, sealed, gov.SystemClock{})
}
