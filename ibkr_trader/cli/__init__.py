"""The commands. Importing this must stay cheap: `--version` is answered from here."""

from __future__ import annotations

import sys

from ibkr_trader import __version__


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"ibkr-trader {__version__}\n")
        sys.exit(0)
    # typer alone costs six times what Python needs to start
    try:
        from ibkr_trader.cli.entry import run  # noqa: PLC0415 - as the line above says

        code = run(arguments)
    except KeyboardInterrupt:
        code = 130  # before the command had begun: nothing was sent
    sys.exit(code)
