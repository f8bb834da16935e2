"""The tree of commands, of which only the branch that was typed grows.

Typer makes every command of a program before it looks at what was typed: a tenth of a second,
of which one command needs a fiftieth. Here a name is enough until its command is asked for.
Help and completion ask for all of them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import typer.main

from ibkr_trader.cli import lean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.models import CommandInfo, TyperInfo


class Commands(Mapping[str, Any]):
    """Commands by name, each made when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return the command of that name, ready to be used."""
        if name not in self._made:
            self._made[name] = lean.without_pydantic(self._makers[name]())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, in the order of their registration."""
        return iter(self._makers)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._makers)


def grown(app: typer.Typer) -> Any:
    """Return the program's own group; the commands of `app` grow in it as they are asked for."""
    root = lean.without_pydantic(typer.main.get_command(_bare(app)))
    root.commands = Commands(_makers(app))
    return root


def _makers(app: typer.Typer) -> dict[str, Callable[[], Any]]:
    """What makes each command of `app`, and of what is joined to it without a name of its own."""
    found: dict[str, Callable[[], Any]] = {}
    for one in app.registered_commands:
        found[_name(one)] = partial(_command, one)
    for group in app.registered_groups:
        below = group.typer_instance
        if below is None:
            continue
        name = next((n for n in (group.name, below.info.name) if isinstance(n, str) and n), "")
        found |= {name: partial(_group, group, below)} if name else _makers(below)
    return found


def _name(command: CommandInfo) -> str:
    return command.name or typer.main.get_command_name(command.callback.__name__)  # type: ignore[union-attr]  # none is without


def _command(command: CommandInfo) -> Any:
    return typer.main.get_command_from_info(
        command, pretty_exceptions_short=False, rich_markup_mode=None
    )


def _group(info: TyperInfo, app: typer.Typer) -> Any:
    alone = copy.copy(info)
    alone.typer_instance = _bare(app)
    group = typer.main.get_group_from_info(
        alone, pretty_exceptions_short=False, rich_markup_mode=None, suggest_commands=True
    )
    group.commands = Commands(_makers(app))  # type: ignore[assignment]  # nobody adds to it
    return group


def _bare(app: typer.Typer) -> typer.Typer:
    """Return `app` without its commands."""
    bare = copy.copy(app)
    bare.registered_commands, bare.registered_groups = [], []
    return bare
