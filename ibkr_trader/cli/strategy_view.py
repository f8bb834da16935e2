"""`strategy list|promote|rollback`: what a running trader decides by, and how that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.cli import output
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.stopping import ORIGIN
from ibkr_trader.cli.strategies import StrategyShelf
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.enums import Stage
from ibkr_trader.core.text import money, quantity
from ibkr_trader.risk.strategy_rows import strategy_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.risk.strategy_rows import StrategyRow
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.rules.rule_memory import Fenced


_NOBODY = "(no strategy)"


class _Here(NamedTuple):
    """The strategies of the trader that runs the command."""

    strategist: Strategist
    shelf: StrategyShelf


async def show(face: Face) -> output.Reply:
    """Reply with every strategy, and how far it may go.

    Raises:
        UsageFault: If no trader runs here.
    """
    here = _here(face)
    async with desk_for(face) as desk:
        faults = desk.trader.remembered.rules.faults
        rows = [
            *((one, Stage.LIVE) for one in here.strategist.rules.strategies),
            *((one, Stage.SHADOW) for one in here.strategist.rules.shadows),
        ]
        head = title(face.settings(), desk)
        documents = [
            {
                "name": one.name,
                "version": one.version,
                "stage": stage.value.lower(),
                "symbols": list(one.symbols),
                "rules": [rule.name for rule in one.rules],
                "fenced": list(_fenced(one, stage, faults)),
                "not_taken": here.shelf.not_taken(one.name),
            }
            for one, stage in rows
        ]
        table = output.Table(
            ("Strategy", "Version", "Stage", "Rules", "Symbols", "Fenced off"),
            tuple(_row(one, stage, faults) for one, stage in rows),
            right=frozenset({"Rules"}),
            spare=("Version", "Rules"),
        )
        stages = {one.name: at for one, at in reversed(rows)}  # what trades has the last word
        accounts = strategy_rows(desk.trader.outlook.view(), stages)
        untaken = {one.name: here.shelf.not_taken(one.name) for one, _ in rows}
        remarks = [f"{name}: {why}" for name, why in untaken.items() if why]
        blocks: list[str | output.Table] = [head, table, *remarks, "Today:", _today(accounts)]
        if not rows:
            blocks = [f"{head}  no strategy runs", "Next: ibkr-trader run --strategy FILE"]
        data = {"strategies": documents, "accounts": [_account(one) for one in accounts]}
        return output.Reply(schema="strategies/1", data=data, blocks=blocks)


async def promote(face: Face, name: str, *, anyway: bool) -> output.Reply:
    """Let the shadow of `name` trade; one that is no fit sample only `anyway`.

    Raises:
        CannotStage: If it has made too few decisions to judge by, or its file says otherwise.
        TraderError: If there is none, or a symbol of it cannot be had.
    """
    here = _here(face)
    async with desk_for(face) as desk:
        await here.shelf.look()  # the last second's edits, too
        before = _version(here, name)
        shadow = _shadow(here, name)
        if not anyway:
            here.shelf.require_ready(name)
        what = (
            f"{name} {shadow.version if shadow else '?'} trades in place of {before or 'nothing'}"
        )
        if why := here.shelf.not_taken(name):
            what += f"; {why}"
        if face.dry_run:
            return _moved(face, f"{title(face.settings(), desk)}  would: {what}", name, sent=False)
        await face.ask(f"{what}. Promote it?")
        await here.shelf.promote(name, origin=ORIGIN, version=shadow.version if shadow else "")
        return _moved(face, f"{title(face.settings(), desk)}  {what}", name, sent=True)


async def roll_back(face: Face, name: str) -> output.Reply:
    """Let the version of `name` trade that did before.

    Raises:
        TraderError: If there is none, or a symbol of it cannot be had.
    """
    here = _here(face)
    async with desk_for(face) as desk:
        head = title(face.settings(), desk)
        earlier = desk.trader.remembered.stages.earlier(name)
        if face.dry_run:
            version = earlier.version if earlier is not None else "nothing: there is no earlier one"
            return _moved(face, f"{head}  would bring back {version}", name, sent=False)
        one = await here.shelf.roll_back(name, origin=ORIGIN)
        text = f"{head}  {name} {one.strategy.version} trades again; the other is in the shadow"
        return _moved(face, text, name, sent=True)


def _moved(face: Face, text: str, name: str, *, sent: bool) -> output.Reply:
    blocks: list[str | output.Table] = [text]
    if not sent:
        blocks.append("Nothing was changed.")
    version = _version(_here(face), name)
    data = {"name": name, "version": version, "changed": sent}
    return output.Reply(schema="strategy-moved/1", data=data, blocks=blocks)


def _here(face: Face) -> _Here:
    """The strategies of the running trader.

    Raises:
        UsageFault: If none runs here.
    """
    shelf = face.trader.shelf if face.trader is not None else None
    strategist = face.desk.trader.strategist if face.desk is not None else None
    if shelf is None or strategist is None:
        message = "no trader runs here, and strategies run in one"
        raise UsageFault(message, hint="ibkr-trader run --strategy FILE")
    return _Here(strategist, shelf)


def _version(here: _Here, name: str) -> str:
    live = (one.version for one in here.strategist.rules.strategies if one.name == name)
    return next(live, "")


def _shadow(here: _Here, name: str) -> Strategy | None:
    return next((one for one in here.strategist.rules.shadows if one.name == name), None)


def _fenced(one: Strategy, stage: Stage, faults: Iterable[Fenced]) -> Iterator[str]:
    """The rules of a strategy that raised, at that stage."""
    where = (one.name, stage is Stage.SHADOW)
    return (fault.rule for fault in faults if (fault.strategy, fault.is_shadow) == where)


def _today(accounts: Iterable[StrategyRow]) -> output.Table:
    """What each has made of the day; together they are the account's."""
    return output.Table(
        ("Strategy", "Holds", "Capital", "P&L", "Entries", "Messages", "For each that traded"),
        tuple(
            (
                one.name or _NOBODY,
                ", ".join(one.positions),
                money(one.capital),
                money(one.day_pnl, signed=True),
                str(one.entries),
                str(one.messages),
                quantity(one.efficiency),
            )
            for one in accounts
        ),
        right=frozenset({"Capital", "P&L", "Entries", "Messages", "For each that traded"}),
        spare=("Holds", "Capital", "Messages"),
    )


def _account(one: StrategyRow) -> dict[str, Any]:
    return {
        "name": one.name or None,
        "positions": list(one.positions),
        "capital": one.capital,
        "day_pnl": one.day_pnl,
        "entries": one.entries,
        "messages": one.messages,
        "efficiency": one.efficiency,
    }


def _row(one: Strategy, stage: Stage, faults: Iterable[Fenced]) -> tuple[str, ...]:
    fenced = ", ".join(_fenced(one, stage, faults))
    symbols = ", ".join(one.symbols)
    where = "trades" if stage is Stage.LIVE else "shadow"
    return one.name, one.version, where, str(len(one.rules)), symbols, fenced
