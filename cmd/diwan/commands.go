package main

// commands lists every subcommand in the order of the help.
func commands() []command {
	serveCommand.run = serve
	demoCommand.run = demo
	return []command{demoCommand, serveCommand}
}
