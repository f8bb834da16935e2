"""`strategy check --bars`: what a strategy would have done on recorded bars and signals."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.adapters.signals.envelope import read_envelope
from ibkr_trader.cli import output, values
from ibkr_trader.cli.comparing import factor, results_document
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.past_journal import past_journal
from ibkr_trader.cli.progress import progress
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.models import Bar, Contract
from ibkr_trader.core.signals import Claim
from ibkr_trader.core.text import money, rounded
from ibkr_trader.dashboard.panels.equity import sparkline
from ibkr_trader.rules.rehearsal import Happening, Rehearsal, Setting, hours_of, in_order
from ibkr_trader.rules.shadow_terms import QUANTITY, SIZED
from ibkr_trader.rules.taken import Taken
from ibkr_trader.rules.would_results import Results
from ibkr_trader.sim.bars import read_bars
from ibkr_trader.sim.calendar import NEW_YORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.cli.face import Face
    from ibkr_trader.rules.admission import Admission
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.sim.instruments import SimBar

_PRICES = frozenset({"limit", "stop", "targets", "level"})
_SHOWN = 20  # decisions, the newest
_CURVE = 40  # cells
_STEP = 1_000  # bars between two words on how far it is
_USUAL = timedelta(minutes=1)


class Material(NamedTuple):
    """What was typed: where the recorded bars and signals are, and what the account is worth."""

    bars: str = ""
    signals: str = ""
    journal: bool = False
    equity: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rehearsal."""

    bars: int
    decisions: tuple[ev.DecisionEvent, ...]
    fills: tuple[ev.WouldFillEvent, ...]
    faults: tuple[ev.FaultEvent, ...]
    refusals: tuple[ev.SignalRefusedEvent, ...]
    open: int


def rehearse(face: Face, strategy: Strategy, material: Material) -> output.Reply:
    """Return what the strategy would have done.

    Raises:
        UsageFault: If an option says nothing that can be understood.
        ConfigError: If a file cannot be read, or its bars do not fit.
    """
    if not material.bars:
        option = "--signals" if material.signals else "--journal"
        message = f"{option} needs the bars of that time"
        raise UsageFault(message, hint="add --bars data/bars")
    equity = values.price(material.equity, "--equity") if material.equity else None
    series = _series(Path(material.bars), strategy.symbols)
    part = _part(series)
    starts = (bar.at for bars in _bars(series) for bar in bars)
    setting = Setting(part=part, zone=NEW_YORK, sessions=hours_of(starts, part))
    if material.signals:
        setting = msgspec.structs.replace(setting, policy=_policy(face))
    if equity is not None:
        setting = msgspec.structs.replace(setting, equity=equity)
    signals = [*_claims(material.signals), *(_taken(face) if material.journal else ())]
    signals.sort(key=lambda one: one.at)
    try:
        on = Rehearsal.of(strategy, setting)
    except ValueError as error:
        raise ConfigError(f"{material.bars}: {error}", hint="give finer bars") from error
    with progress("rehearsing", is_shown=not face.json) as report:
        total = sum(map(len, series.values()))
        count, found = 0, list[ev.BaseEvent]()
        for happening in in_order(_bars(series), part, signals):
            on, events = on.after(happening)
            found += events
            count += isinstance(happening.what, Bar)
            if not count % _STEP:
                report(count, total, "")
    return _reply(strategy, setting, _outcome(on, found, count), utc=face.utc)


def _outcome(on: Rehearsal, found: list[ev.BaseEvent], count: int) -> Outcome:
    return Outcome(
        bars=count,
        decisions=tuple(one for one in found if isinstance(one, ev.DecisionEvent)),
        fills=tuple(one for one in found if isinstance(one, ev.WouldFillEvent)),
        faults=tuple(one for one in found if isinstance(one, ev.FaultEvent)),
        refusals=tuple(one for one in found if isinstance(one, ev.SignalRefusedEvent)),
        open=len(on.book.opened),
    )


# -- what was recorded ---------------------------------------------------------------------------


def _series(path: Path, symbols: tuple[str, ...]) -> dict[str, tuple[SimBar, ...]]:
    """The bars of each symbol: of one file for one symbol, or of a folder of `SYMBOL.csv`."""
    if path.is_dir():
        files = {symbol: path / f"{symbol}.csv" for symbol in symbols}
        found = {symbol: file for symbol, file in files.items() if file.exists()}
    else:
        found = {path.stem.upper(): path} if path.stem.upper() in symbols else {}
    if not found:
        wanted = ", ".join(f"{symbol}.csv" for symbol in symbols)
        raise ConfigError(f"{path} has no bars of this strategy", hint=f"it wants {wanted}")
    try:
        return {symbol: _read(file) for symbol, file in found.items()}
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _read(file: Path) -> tuple[SimBar, ...]:
    with file.open(encoding="utf-8", newline="") as lines:
        return read_bars(lines, name=str(file))


def _part(series: dict[str, tuple[SimBar, ...]]) -> timedelta:
    """How long a bar lasts: the smallest gap between two."""
    gaps = (later.at - bar.at for bars in series.values() for bar, later in pairwise(bars))
    return min(gaps, default=_USUAL)


def _bars(series: dict[str, tuple[SimBar, ...]]) -> Iterator[Iterator[Bar]]:
    for number, (symbol, bars) in enumerate(series.items(), start=1):
        contract = Contract(symbol=symbol, con_id=number)
        yield map(partial(_bar, contract), bars)  # each keeps its own contract


def _bar(contract: Contract, one: SimBar) -> Bar:
    return Bar(
        contract=contract,
        at=one.at,
        open=one.open,
        high=one.high,
        low=one.low,
        close=one.close,
        volume=one.volume,
    )


def _policy(face: Face) -> Admission:
    """What this profile asks of a signal; but nobody signs a recording."""
    return msgspec.structs.replace(face.settings().outside.admission, needs_signature=False)


def _claims(name: str) -> Iterator[Happening]:
    """The envelopes of a file, one a line; each comes when it was made."""
    if not name:
        return
    try:
        lines = Path(name).read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        claim = read_envelope(line, source="recorded", keys={})
        if not isinstance(claim, Claim) or claim.issued_at is None:
            why = "it has no time" if isinstance(claim, Claim) else claim.message
            raise ConfigError(f"{name}, line {number}: {why}")
        yield Happening(claim.issued_at, claim)


def _taken(face: Face) -> Iterable[Happening]:
    """The signals that this profile's journal has as taken."""
    place = face.place()
    with past_journal(place) as journal:
        if journal is None:
            raise ConfigError(f"there is no journal in {place.folder}", hint="--signals FILE")
        return [Happening(one.at, one) for _, one in journal.messages() if isinstance(one, Taken)]


# -- what is said --------------------------------------------------------------------------------


def _reply(strategy: Strategy, setting: Setting, found: Outcome, *, utc: bool) -> output.Reply:
    results = Results.of(found.fills)
    head = f"{strategy.name} {strategy.version} on {counted(found.bars, 'recorded bar')}"
    blocks: list[str | output.Table] = [head]
    if found.decisions:
        blocks += [_decisions(found, utc=utc), _sums(results, found)]
    else:
        blocks.append("It decides nothing.")
    if len(results.gains) > 1:
        blocks.append(f"gain, trip by trip: {sparkline(results.curve, _CURVE)}")
    blocks += [f"{one.rule} raised and was asked no more: {one.message}" for one in found.faults]
    blocks += _refused(found)
    blocks.append(
        f"By a model: the account is worth {money(setting.equity)}, an order meets the next bar, "
        "a bar that touches stop and target has touched the stop; the account's own limits are "
        "not known here."
    )
    return output.Reply(
        schema="strategy-rehearsal/1", data=_document(strategy, found, results), blocks=blocks
    )


def _decisions(found: Outcome, *, utc: bool) -> output.Table:
    rows = tuple(
        (
            when(one.at, utc=utc),
            one.rule,
            one.cause,
            one.words,
            one.terms.get(QUANTITY, ""),
            one.terms.get(SIZED, ""),
        )
        for one in found.decisions[-_SHOWN:]
    )
    heads = ("At", "Rule", "Cause", "Decision", "Size", "Sized by")
    return output.Table(heads, rows, right=frozenset({"Size"}), spare=("Cause", "Sized by"))


def _sums(results: Results, found: Outcome) -> output.Table:
    rows = (
        ("decisions", str(len(found.decisions))),
        ("trips", str(len(results.gains))),
        ("of these won", str(results.wins)),
        ("under way", str(found.open)),
        ("gain", money(results.gain, signed=True)),
        ("fees", money(results.fees)),
        ("profit factor", factor(results.profit_factor)),
        ("largest drawdown", money(results.drawdown)),
    )
    return output.Table(("", "Sum"), rows, right=frozenset({"Sum"}))


def _refused(found: Outcome) -> list[str | output.Table]:
    if not found.refusals:
        return []
    rows = tuple((one.signal_id, one.ticker, one.code, one.message) for one in found.refusals)
    return [output.Table(("Signal not taken", "Symbol", "Why", "In words"), rows[-_SHOWN:])]


def _neat(name: str, text: str) -> str:
    """A term as text: prices to four decimals at most."""
    if name not in _PRICES:
        return text
    return " ".join(f"{rounded(Decimal(one)):f}" for one in text.split())


def _document(strategy: Strategy, found: Outcome, results: Results) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "version": strategy.version,
        "bars": found.bars,
        "decisions": [
            {
                "at": one.at,
                "rule": one.rule,
                "symbol": one.ticker,
                "cause": one.cause,
                "words": one.words,
                "terms": {name: _neat(name, text) for name, text in one.terms.items()},
                "price": one.price,
            }
            for one in found.decisions
        ],
        "fills": [
            {
                "at": one.at,
                "symbol": one.ticker,
                "kind": one.kind.value.lower(),
                "side": one.side.value,
                "quantity": one.quantity,
                "price": rounded(one.price),
                "commission": one.commission,
                "gain": one.gain,
            }
            for one in found.fills
        ],
        **results_document(results),
        "open": found.open,
        "faults": [{"rule": one.rule, "message": one.message} for one in found.faults],
        "refused": [
            {"signal_id": one.signal_id, "code": one.code, "message": one.message}
            for one in found.refusals
        ],
    }
