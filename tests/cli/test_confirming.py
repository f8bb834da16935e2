"""A command that uses much of a limit is looked at twice, on the command line alone."""

from __future__ import annotations

import pytest

from ibkr_trader.cli.confirming import confirm_large
from ibkr_trader.cli.exits import Unconfirmed
from ibkr_trader.cli.face import Face
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import prepare
from tests.cli.conftest import CommandLine
from tests.execution.parts import Floor, request

MUCH = "bracket-order --symbol AAPL --quantity 30 --stop-loss 145 --take-profit 155"


class Person(Face):
    """Somebody at a terminal, who answers as told."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._answers = answers

    async def ask(self, question: str) -> None:
        self.asked.append(question)
        if not self._answers:
            raise Unconfirmed("Nothing was done")


@pytest.mark.parametrize(
    ("quantity", "question"),
    [
        (50, ""),
        (51, "BUY 51 AAPL uses 77 % of max_order_exposure (10,000.00). Place it?"),
        (101, ""),  # denied anyway
    ],
)
async def test_above_half_of_a_limit_it_asks(quantity: int, question: str) -> None:
    floor = Floor()
    person = Person(answers=True)
    async with floor.trader() as trader:
        desk = Desk(trader)
        smaller = request(quantity, limit="150" if quantity > 50 else "100")
        prepared = await prepare(trader, smaller)
        await confirm_large(person, desk, prepared.command)
        assert person.asked == ([question] if question else [])


async def test_who_says_no_has_sent_nothing() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        prepared = await prepare(trader, request(60))
        with pytest.raises(Unconfirmed):
            await confirm_large(Person(answers=False), Desk(trader), prepared.command)


def test_off_a_terminal_it_needs_a_word(cli: CommandLine) -> None:
    refused = cli(MUCH)
    assert refused.code == 9
    assert "BUY 30 AAPL uses 61 % of max_risk_per_trade (250.00). Place it?" in refused.err
    assert "repeat the command with --yes" in refused.err
    assert cli("orders --json").document["orders"] == []
    assert cli(f"{MUCH} --yes").code == 0


def test_what_sends_nothing_does_not_ask(cli: CommandLine) -> None:
    assert cli(f"{MUCH} --dry-run").code == 0


def test_a_scale_in_asks_alike(cli: CommandLine) -> None:
    line = "bracket-order --symbol AAPL --quantity 20 --stop-loss 145 --take-profit 155"
    assert cli(f"{line} --wait filled").code == 0
    more = "scale-in AAPL --quantity 35"
    refused = cli(more)
    assert refused.code == 9, refused
    assert "BUY 35 AAPL uses " in refused.err
    assert cli("scale-in AAPL --quantity 1 --json").code == 0


def test_the_fraction_may_be_set(cli: CommandLine) -> None:
    config = cli.folder / "config.toml"
    config.write_text(config.read_text() + "confirm_above = 0.1\n")
    small = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
    assert cli(small).code == 9
    config.write_text(config.read_text().replace("confirm_above = 0.1", "confirm_above = 1"))
    assert cli(MUCH).code == 0
