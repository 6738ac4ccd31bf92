package main

// commands lists every subcommand in the order of the help.
func commands() []command {
	serveCommand.run = serve
	catalogueCommand.run = catalogue
	demoCommand.run = demo
	return []command{demoCommand, serveCommand, catalogueCommand}
}
