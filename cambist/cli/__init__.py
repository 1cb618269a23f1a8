"""The command line `cambist`, for firms and operators. Everything goes through the SDK."""

from cambist.cli.main import main

__all__ = ["main"]
