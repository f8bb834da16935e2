"""The help text: commands and options in panels, an example below, drawn without rich.

Rich's own help costs five times what Python needs to start. This one is plain text with
bold headings on a terminal.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import Any

from typer.core import TyperCommand, TyperGroup

from ibkr_trader.cli.lean import as_typed

EXAMPLE = "Example:"
_INDENT = "  "
_WIDEST_NAME = 34
# Panels in the order of the day's work; others follow.
_PANELS = (
    "Orders",
    "Look",
    "Risk",
    "Run",
    "Recover",
    "Simulate",
    "Set up",
    "Commands",
    "Arguments",
    "Options",
)
_LAST = "Common options"


class HelpfulCommand(TyperCommand):
    """A command whose help is drawn here."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of this command."""
        formatter.write(render(self, ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """Return `--help`, which Typer makes when it is first asked for."""
        return as_typed(super().get_help_option(ctx))


class HelpfulGroup(TyperGroup):
    """A group whose help is drawn here."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return the names of its commands; none is made for that."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help of this group and a line for each of its commands."""
        formatter.write(render(self, ctx))

    def get_help_option(self, ctx: Any) -> Any:
        """Return `--help`, which Typer makes when it is first asked for."""
        return as_typed(super().get_help_option(ctx))


def render(command: Any, ctx: Any) -> str:
    """Return the help of `command`."""
    width = min(shutil.get_terminal_size().columns, 100)
    lines = [f"Usage: {' '.join([ctx.command_path, *command.collect_usage_pieces(ctx)])}", ""]
    if command.help:
        lines += [*textwrap.wrap(command.help, width), ""]
    panels: dict[str, list[tuple[str, str]]] = {}
    if isinstance(command, TyperGroup):
        for name in command.list_commands(ctx):
            one = command.get_command(ctx, name)
            if one is not None and not one.hidden:
                panel = getattr(one, "rich_help_panel", None) or "Commands"
                panels.setdefault(panel, []).append((name, one.get_short_help_str(limit=90)))
    for parameter in command.get_params(ctx):
        if not getattr(parameter, "hidden", False):
            panel = getattr(parameter, "rich_help_panel", None) or _kind(parameter)
            panels.setdefault(panel, []).append((_names(parameter), parameter.help or ""))
    for panel in sorted(panels, key=_place):
        lines += [_heading(panel), *_rows(panels[panel], width), ""]
    if command.epilog:
        lines += [command.epilog, ""]
    return "\n".join(lines)


def _kind(parameter: Any) -> str:
    return "Arguments" if parameter.param_type_name == "argument" else "Options"


def _place(panel: str) -> tuple[int, str]:
    if panel == _LAST:
        return len(_PANELS) + 1, panel
    return (_PANELS.index(panel) if panel in _PANELS else len(_PANELS)), panel


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        metavar = parameter.metavar or parameter.name.upper()
        return f"{metavar}…" if parameter.nargs == -1 else metavar
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    metavar = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return names + metavar + ("  (required)" if parameter.required else "")


def _rows(rows: list[tuple[str, str]], width: int) -> list[str]:
    column = min(max(len(name) for name, _ in rows), _WIDEST_NAME) + 4
    lines: list[str] = []
    for name, text in rows:
        first, *rest = textwrap.wrap(text, max(20, width - column)) or [""]
        if len(name) + 4 > column:
            lines.append(_INDENT + name)
            lines.append(" " * column + first)
        else:
            lines.append(f"{_INDENT + name:<{column}}{first}".rstrip())
        lines += [" " * column + line for line in rest]
    return lines


def _heading(text: str) -> str:
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[1m{text}\x1b[0m"
    return text
