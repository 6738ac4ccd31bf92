package main

// commands lists every subcommand in the order of the help.
func commands() []command {
	return []command{
		demoCommand.with(demo),
		serveCommand.with(serve),
		catalogueCommand.with(catalogue),
		gazetteCommand.with(gazette),
		gatewayCommand.with(gatewayMain),
		exchangeCommand.with(exchangeMain),
		clockCommand.with(clock),
		verifyCommand.with(verify),
		walletCommand.with(wallet),
		retrieveCommand.with(retrieve),
		evaluateCommand.with(evaluate),
		accountCommand.with(account),
		migrateCommand.with(migrate),
		backupCommand.with(backup),
		restoreCommand.with(restore),
		doctorCommand.with(doctor),
		versionCommand.with(version),
	}
}
