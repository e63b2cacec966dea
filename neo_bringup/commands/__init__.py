"""One module a subcommand of ``neo``: ``HELP``, ``add_arguments(parser)``, ``run(args) -> int``."""
