package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/gateway"
	"diwan/internal/exchange/gateway/viewer"
	"diwan/internal/gov"
)

// ViewerCodeLife is how long a sign-in code is good.
const ViewerCodeLife = viewer.CodeLife

// GatewayViewer makes a one-time sign-in code for an officer who is to look into the
// log of the gateway of a configuration file, and tells where.
func GatewayViewer(ctx context.Context, config, officer string) (address, code string, err error) {
	c, err := gateway.ReadConfig(config)
	if err != nil {
		return "", "", err
	}
	if c.Admin.Listen == "" {
		return "", "", errors.New("the gateway has no admin listener, on which the viewer is: set admin.listen")
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, "gateway.db")
	}
	d, err := db.Open(ctx, c.Database)
	if err != nil {
		return "", "", err
	}
	defer d.Close()
	code, err = viewer.NewCode(ctx, d, officer, time.Now())
	return "http://" + c.Admin.Listen + viewer.Root, code, err
}

// GatewayMaintenance closes the node of a configuration file for maintenance, or
// opens it when reason is empty. running tells whether its gateway heard it at once;
// otherwise it holds from its next start.
func GatewayMaintenance(ctx context.Context, config, reason, by string) (running bool, err error) {
	c, err := gateway.ReadConfig(config)
	if err != nil {
		return false, err
	}
	return gateway.Maintenance(ctx, c, reason, by, gov.SystemClock{})
}
