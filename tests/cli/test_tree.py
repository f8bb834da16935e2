"""Of the tree of commands, only what is asked for is made."""

from __future__ import annotations

from typing import Any

import pytest
import typer
import typer.main

from ibkr_trader.cli.tree import grown


def tree(made: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program of `here`, `there`, and `below one|two`; who is made is put down."""
    app, joined, below = typer.Typer(), typer.Typer(), typer.Typer(help="What is below.")
    app.callback()(lambda: None)
    joined.command("there")(lambda: None)
    app.command("here")(lambda: None)
    below.command("one")(lambda: None)
    below.command("two")(lambda: None)
    joined.add_typer(below, name="below")
    app.add_typer(joined)
    make = typer.main.get_command_from_info

    def note(info: Any, **rest: Any) -> Any:
        made.append(info.name)
        return make(info, **rest)

    monkeypatch.setattr(typer.main, "get_command_from_info", note)
    return grown(app)


def test_a_command_is_made_when_it_is_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    root = tree(made, monkeypatch)
    assert list(root.commands) == ["here", "there", "below"]
    assert len(root.commands) == 3
    assert made == []
    there = root.commands["there"]
    assert root.commands["there"] is there
    assert made == ["there"]


def test_a_group_of_commands_grows_in_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    below = tree(made, monkeypatch).commands["below"]
    assert (below.help, list(below.commands), made) == ("What is below.", ["one", "two"], [])
    assert below.commands["two"].name == "two"
    assert made == ["two"]


def test_what_is_no_command_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree([], monkeypatch)
    assert "nowhere" not in root.commands
    assert root.commands.get("nowhere") is None
