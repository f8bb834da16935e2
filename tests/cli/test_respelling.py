"""A typo is never mended into an answer, and a mended line is one that the command takes."""

from __future__ import annotations

import shlex

import pytest

from ibkr_trader.cli import entry
from ibkr_trader.cli.failure import Failure, describe

BRACKET = "bracket-order --symbol MSFT --quantity 5"


def failure(line: str) -> Failure:
    """What is said of a line that does not parse."""
    arguments = shlex.split(line)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Typer's own kinds are private
        entry.build().main(
            args=arguments, prog_name="ibkr-trader", standalone_mode=False, obj=tuple(arguments)
        )
    return describe(caught.value, arguments)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("orders --symbl AAPL", "ibkr-trader orders --symbol AAPL"),
        ("orders --symb=AAPL --jsn", "ibkr-trader orders --symbol=AAPL --json"),
        ("--profil sim orders --symbl AAPL", "ibkr-trader --profile sim orders --symbl AAPL"),
        ("strategy promote dip --jso", "ibkr-trader strategy promote dip --json"),
        (f"{BRACKET} --stop 400 --outside-rht", f"ibkr-trader {BRACKET} --stop-loss 400 --outsi"),
    ],
)
def test_a_typo_is_mended(line: str, hint: str) -> None:
    assert failure(line).hint.startswith(hint)


@pytest.mark.parametrize(
    "line",
    [
        f"{BRACKET} --type limit",
        f"{BRACKET} --yess",
        f"{BRACKET} --ye",
        "order --symbol AAPL --side buy --quantity 5 --nostop",
        "order --symbol AAPL --side buy --quantity 5 --no-stp",
        "strategy promote dip --anywy",
        "run --as-editd",
        "live arm --waiv clock",
        "halt --flaten",
    ],
)
def test_none_is_mended_into_an_answer(line: str) -> None:
    found = failure(line)
    assert found.hint == nothing_near(line)
    assert "Possible options" not in found.message


@pytest.mark.parametrize(
    "line",
    [
        f"{BRACKET} --previe limit",  # a flag takes no value
        f"{BRACKET} --jsn=1",
        f"{BRACKET} --tak-profit",  # and an option needs one
        f"{BRACKET} --limt 410 --limit 400",  # it is given already
        f"{BRACKET} --limt 410 --bogus",
        f"{BRACKET} --limt 410 -q",
        "orders --symbol --jsn --jsn",
    ],
)
def test_what_the_command_would_not_take_is_not_offered(line: str) -> None:
    assert failure(line).hint == nothing_near(line)


def test_with_nothing_near_there_is_the_help() -> None:
    found = failure("--nosuch --json")
    assert found.hint == "ibkr-trader --help"
    assert found.message == "No such option: --nosuch"


def nothing_near(line: str) -> str:
    """What a command says to a line that cannot be mended: its example, or the help."""
    return failure(f"{line.partition(' --')[0]} --qqqqqq").hint
