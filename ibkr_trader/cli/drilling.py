"""Fire drills on the command line: which there are, how they went, and what they come to."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.strategies import StrategyShelf, read
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core.text import money, quantity
from ibkr_trader.drills.drill import DRILLS
from ibkr_trader.drills.rehearsal import USUAL, Cast, Outcome, run
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.sim.universe import load_universe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Settings
    from ibkr_trader.drills.drill import Drill
    from ibkr_trader.drills.rehearsal import Result
    from ibkr_trader.drills.scene import Companion
    from ibkr_trader.execution.trader import Trader

_WORDS = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.SKIPPED: "skipped"}
_COLOURS = {"PASS": "green", "FAIL": "bold red", "skipped": "yellow"}


def listing() -> Reply:
    """Say which drills there are."""
    drills = [one for _, one in DRILLS.items()]
    rows = tuple((one.name, one.sentence) for one in drills)
    return Reply(
        schema="drill-list/1",
        data={"drills": [_card(one) for one in drills]},
        blocks=[
            Table(("drill", "what goes wrong"), rows),
            "",
            "Rehearse one: ibkr-trader drill NAME. All of them: ibkr-trader drill --all",
        ],
    )


def rehearse(face: Face, name: str, *, strategies: Sequence[str], symbol: str) -> Reply:
    """Rehearse one drill, or all if none is named, with the face's settings.

    Raises:
        UsageFault: If there is no such drill.
        ConfigError: If a setting or a strategy cannot be used.
    """
    chosen = [_named(name)] if name else [one for _, one in DRILLS.items()]
    settings, files = face.settings(), tuple(Path(one) for one in strategies)
    named = _symbols(files)
    cast = Cast(
        settings=settings,
        symbol=symbol or _symbol(settings, named),
        companion=_companion(files) if files else None,
    )
    results: list[Result] = []
    with progress("drills", is_shown=not face.json) as report:
        for number, one in enumerate(chosen):
            report(number, len(chosen), one.name)
            results.append(run(one, cast))
    return _reply(face, results, is_all=not name)


def _named(name: str) -> Drill:
    if name in DRILLS:
        return DRILLS[name]
    close = difflib.get_close_matches(name, list(DRILLS), n=1)
    better = close[0] if close else ""
    raise UsageFault(
        f"there is no drill called {name!r}",
        typed=name,
        better=better,
        hint=f"ibkr-trader drill {better}" if better else "ibkr-trader drill --list",
    )


def _symbols(files: Sequence[Path]) -> tuple[str, ...]:
    """The symbols of strategies, each file read once before anything is started."""
    return tuple(name for one in read(files, ()) for name in one.loaded.strategy.symbols)


def _symbol(settings: Settings, named: Sequence[str]) -> str:
    """What is traded unless it is said: the strategies', else what the settings allow."""
    allowed = settings.risk.allowed_symbols
    today = next(iter(DRILLS.items()))[1].opened_at.date()
    listed = {one.symbol for one in load_universe(today) if one.sec_type == "STK"}
    wanted = [*named, *([] if allowed and USUAL not in allowed else [USUAL]), *sorted(allowed)]
    return next((one for one in wanted if one in listed), USUAL)


def _companion(files: Sequence[Path]) -> Companion:
    """What gives each desk the strategies, as their files are."""

    async def add(trader: Trader) -> None:
        strategist = trader.strategist
        if isinstance(strategist, Strategist):
            await StrategyShelf(trader, strategist).open(read(files, ()), as_edited=True)

    return add


def _reply(face: Face, results: Sequence[Result], *, is_all: bool) -> Reply:
    counts = {kind: sum(one.outcome is kind for one in results) for kind in Outcome}
    is_good = not counts[Outcome.FAIL] and bool(counts[Outcome.PASS])
    blocks: list[str | Table] = []
    for one in results:
        if not is_all or one.outcome is Outcome.FAIL:
            blocks += [*_told(face, one), ""]
    if is_all:
        blocks += [_table(results), ""]
        parts = [f"{counts[Outcome.PASS]} of {counted(len(results), 'drill')} passed"]
        parts += [f"{counts[Outcome.FAIL]} failed"] if counts[Outcome.FAIL] else []
        parts += [f"{counts[Outcome.SKIPPED]} skipped"] if counts[Outcome.SKIPPED] else []
        blocks += [", ".join(parts), *_skips(results)]
    else:
        blocks.pop()
    return Reply(
        schema="drill/1",
        data={
            "passed": counts[Outcome.PASS],
            "failed": counts[Outcome.FAIL],
            "skipped": counts[Outcome.SKIPPED],
            "drills": [_document(one) for one in results],
        },
        blocks=blocks,
        exit=Exit.DONE if is_good else Exit.INCOMPLETE,
    )


def _told(face: Face, result: Result) -> list[str | Table]:
    """Tell of one drill: what was done, the figures, and the verdict."""
    blocks: list[str | Table] = [f"{result.drill}: {result.sentence}"]
    steps = [
        f"  {number:>2}  {when(step.at, utc=face.utc)}  {step.text}"
        for number, step in enumerate(result.steps, start=1)
    ]
    figures = Table(
        ("naked", "surplus", "duplicates", "orders left", "position left", "P&L", "drift"),
        (
            (
                _span(result.naked),
                _span(result.surplus),
                str(result.duplicates),
                str(result.orders_left),
                _left(result),
                money(result.profit, signed=True),
                result.drift or "none",
            ),
        ),
        right=frozenset({"naked", "surplus", "duplicates", "orders left", "P&L"}),
    )
    blocks += steps
    if result.outcome is not Outcome.SKIPPED:
        blocks.append(figures)
    blocks.append(f"{_word(result)}{''.join(f': {why}' for why in result.reasons[:1])}")
    return [*blocks, *(f"      {why}" for why in result.reasons[1:])]


def _table(results: Sequence[Result]) -> Table:
    rows = tuple(
        (
            one.drill,
            _word(one),
            _span(one.naked),
            str(one.duplicates),
            str(one.orders_left),
            _left(one),
            money(one.profit, signed=True),
        )
        for one in results
    )
    return Table(
        ("drill", "result", "naked", "duplicates", "orders left", "position left", "P&L"),
        rows,
        right=frozenset({"naked", "duplicates", "orders left", "P&L"}),
        spare=("orders left", "position left"),
        colours=_COLOURS,
    )


def _skips(results: Sequence[Result]) -> list[str]:
    return [
        f"skipped {one.drill}: {why}"
        for one in results
        if one.outcome is Outcome.SKIPPED
        for why in one.reasons
    ]


def _card(drill: Drill) -> dict[str, Any]:
    return {
        "name": drill.name,
        "sentence": drill.sentence,
        "incidents": list(drill.incidents),
        "faults": list(drill.faults),
    }


def _document(result: Result) -> dict[str, Any]:
    return {
        "name": result.drill,
        "sentence": result.sentence,
        "outcome": result.outcome.value,
        "reasons": list(result.reasons),
        "steps": [{"at": step.at, "text": step.text} for step in result.steps],
        "naked_seconds": result.naked.total_seconds(),
        "surplus_seconds": result.surplus.total_seconds(),
        "duplicates": result.duplicates,
        "orders_left": result.orders_left,
        "positions_left": result.positions_left,
        "profit": result.profit,
        "drift": result.drift,
        "lasted_seconds": result.lasted.total_seconds(),
    }


def _word(result: Result) -> str:
    return _WORDS[result.outcome]


def _left(result: Result) -> str:
    held = [f"{quantity(n)} {symbol}" for symbol, n in sorted(result.positions_left.items())]
    return ", ".join(held) or "none"


def _span(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
