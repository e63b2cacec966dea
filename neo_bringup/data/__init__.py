"""Subcommands of ``neo data``, a module each, made like the modules of ``neo_bringup/commands``."""
