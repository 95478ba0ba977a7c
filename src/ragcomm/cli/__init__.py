"""The command line. Nothing heavy is imported before a command that needs it runs."""

from ragcomm.cli.commands import main

__all__ = ["main"]
