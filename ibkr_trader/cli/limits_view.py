"""`limits`: every limit with what is in use of it, those of each symbol, and their file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.limits_setting import change_document, change_words, shown_limit
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import contract_of, label
from ibkr_trader.core.text import average, money, percent, quantity
from ibkr_trader.execution.valuing import value
from ibkr_trader.risk.check import Gauge, Unit
from ibkr_trader.risk.gauges import limited, readings
from ibkr_trader.risk.limits import LIMIT_KEYS
from ibkr_trader.risk.tightening import EVERY_OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.limits_watch import LimitsWatch
    from ibkr_trader.risk.view import RiskView

_PATIENCE = 2.0  # seconds for a price that a limit needs
_HEADS = {
    "max_position_size": "POSITION",
    "max_order_exposure": "ORDER",
    "max_daily_loss": "DAY'S LOSS",
    "max_correlation_exposure": "CORRELATED",
}
# What is shown together; a check that is not named here belongs to the last.
_GROUPS = ("Positions", "Losses", "Orders", "Market and time")
_POSITIONS = (
    "position_size",
    "worst_case_exposure",
    "correlated_exposure",
    "sector_exposure",
    "open_positions",
    "buying_power",
    "day_trades",
)
_LOSSES = ("daily_loss", "drawdown", "heat", "stop_out")
_ORDERS = (
    "order_quantity",
    "order_exposure",
    "risk_per_trade",
    "order_rate",
    "order_efficiency",
    "working_orders",
    "breaker",
)
_GROUP_OF = {
    check: group
    for group, checks in zip(_GROUPS, (_POSITIONS, _LOSSES, _ORDERS), strict=False)
    for check in checks
}
_RANKS = {check: rank for rank, check in enumerate(_GROUP_OF)}
_BY_SYMBOL = frozenset({"position_size", "order_exposure"})
_LABEL = 40  # characters: a longer note is a sentence, and a person has to read it
_GLOBAL, _DEFAULT, _OWN = "global", "default", "symbol"
_NONE = "none"  # of its own: the one on everything holds


async def limits(face: Face, *, symbol: str) -> Reply:
    """Return every limit with its use; of one symbol alone if it is named.

    Raises:
        TraderError: If the desk cannot be opened.
    """
    async with desk_for(face) as desk:
        trader = desk.trader
        wanted = {c.con_id: c for c in (*trader.outlook.unpriced(), *trader.outlook.unvalued)}
        await value(trader, wanted.values(), timeout=_PATIENCE)
        view = trader.outlook.view()
        gauges, symbols = list(readings(view)), [EVERY_OTHER, *limited(view)[1:]]
        if symbol:
            contract = contract_of(symbol)
            gauges = [one for one in gauges if _concerns(one, contract)]
            symbols = [contract.symbol]
        watch = trader.outlook.book.limits_watch
        head = f"{title(face.settings(), desk)}  limits at {when(view.now, utc=face.utc)}"
        return Reply(
            schema="limits/1",
            data={
                "account": trader.account,
                "at": view.now,
                "gauges": [_document(one) for one in gauges],
                "symbols": [_symbol_document(one, view) for one in symbols],
                "file": _file_document(desk, watch),
                "waiting": [change_document(one) for one in watch.waiting()] if watch else [],
            },
            blocks=[head, *_tables(gauges, view, symbols), *_file_lines(watch)],
        )


def figure(value: Decimal | None, unit: Unit) -> str:
    """Return a gauge's figure as people read it."""
    match unit:
        case Unit.MONEY:
            return money(value)
        case Unit.PERCENT:
            return percent(value)
        case Unit.RATIO:
            return average(value)
        case Unit.SECONDS if value is not None:
            return f"{quantity(value)} s"
        case _:
            return quantity(value)


def _concerns(gauge: Gauge, contract: Contract) -> bool:
    """Whether a gauge is about the contract, or (for shares) about what is built on it."""
    name = label(contract)
    return gauge.subject == name or gauge.subject.startswith(f"{name} ")


def _tables(gauges: list[Gauge], view: RiskView, symbols: list[str]) -> Iterator[str | Table]:
    in_use = [one for one in gauges if one.limit is not None and one.used is not None]
    others = [one for one in gauges if one.limit is None or one.used is None]
    if in_use:
        yield _in_use(in_use)
        said = [f"  {gauge_name(one)}: {one.note}" for one in in_use if len(one.note) > _LABEL]
        yield from ["", *said] if said else []
    if others:
        yield ""
        yield Table(("RULE", "HOW IT STANDS"), tuple((one.check, _stands(one)) for one in others))
    yield ""
    rows = tuple(
        (
            "all others" if symbol == EVERY_OTHER else symbol.replace(" ", "."),
            *(_sourced(symbol, key, view) for key in LIMIT_KEYS),
        )
        for symbol in symbols
    )
    yield Table(("SYMBOL", *_HEADS.values()), rows, frozenset(_HEADS.values()))


def _in_use(gauges: list[Gauge]) -> Table:
    rows: list[tuple[str, ...]] = []
    gauges = sorted(gauges, key=lambda one: _RANKS.get(one.check, len(_RANKS)))
    for group in _GROUPS:
        found = [one for one in gauges if _GROUP_OF.get(one.check, _GROUPS[-1]) == group]
        if found:
            rows += [("",) * 5] if rows else []
            rows += [(f"{group}:", "", "", "", ""), *map(_row, found)]
    return Table(
        ("LIMIT", "USED", "OF", "LEFT", "IN USE"),
        tuple(rows),
        frozenset({"USED", "OF", "LEFT"}),
        spare=("LEFT",),
        bars=frozenset({"IN USE"}),
    )


def _row(gauge: Gauge) -> tuple[str, ...]:
    return (
        gauge_name(gauge),
        figure(gauge.used, gauge.unit),
        figure(gauge.limit, gauge.unit),
        figure(gauge.headroom, gauge.unit),
        percent(gauge.share, digits=0) if gauge.share is not None else "",
    )


def gauge_name(gauge: Gauge) -> str:
    """Return what a row is called; of a symbol's limit without a symbol it is all others'."""
    subject = gauge.subject or ("all others" if gauge.check in _BY_SYMBOL else "")
    return f"{gauge.check} {subject}".rstrip()


def _stands(gauge: Gauge) -> str:
    limit = figure(gauge.limit, gauge.unit) if gauge.limit is not None else ""
    return ": ".join(part for part in (gauge.subject, limit, gauge.note) if part)


def _source(symbol: str, key: str, view: RiskView) -> str:
    """Whose limit is in force: the symbol's own, the default, or the global one."""
    registry = view.symbol_limits
    value = registry.own(symbol, key)
    if value is None or getattr(view.symbol_limit(symbol), key) != value:
        return _GLOBAL
    entry = registry.symbols.get(symbol)
    return _OWN if entry is not None and getattr(entry, key) is not None else _DEFAULT


def _sourced(symbol: str, key: str, view: RiskView) -> str:
    value = getattr(view.symbol_limit(symbol), key)
    return _NONE if value is None else f"{shown_limit(key, value)} {_source(symbol, key, view)}"


def _file_lines(watch: LimitsWatch | None) -> Iterator[str]:
    if watch is None:
        return
    yield ""
    reading, name = watch.reading, watch.source.name
    count = len(watch.in_force.symbols)
    if reading.faults or not (reading.registry or watch.in_force.is_empty):
        yield f"{name} cannot be relied on: nothing is opened until it is mended."
        yield from (f"  {fault}" for fault in reading.faults or ("it is missing",))
        yield "  fix: mend it, or write it as it was in force: ibkr-trader limits --restore"
    elif reading.registry is None:
        yield f"{name} does not exist: the global limits hold ([risk] in config.toml)."
    else:
        yield f"{name}: {count} symbol{'' if count == 1 else 's'} with limits of their own."
    yield from (f"  warning: {one}" for one in reading.warnings)
    if waiting := watch.waiting():
        yield "Looser in the file, and waiting for disarm, or a new start that is not armed live:"
        for one in waiting:
            old, new = shown_limit(one.key, one.before), shown_limit(one.key, one.after)
            yield f"  {change_words(one.symbol, one.key, old, new)}"


def _file_document(desk: Desk, watch: LimitsWatch | None) -> dict[str, Any] | None:
    if watch is None:
        return None
    reading = watch.reading
    lost = reading.registry is None and not watch.in_force.is_empty
    state = "damaged" if reading.faults else "lost" if lost else "ok"
    if state == "ok" and reading.registry is None:
        state = "missing"
    return {
        "path": watch.source.name,
        "state": state,
        "fault": desk.trader.outlook.book.limits_fault,
        "faults": list(_faults(reading.faults)),
        "warnings": list(_faults(reading.warnings)),
    }


def _faults(found: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for one in found:
        yield {"line": one.line, "column": one.column, "key": one.key, "message": one.message}


def _document(gauge: Gauge) -> dict[str, Any]:
    return {
        "check": gauge.check,
        "subject": gauge.subject,
        "unit": gauge.unit.name.lower(),
        "limit": gauge.limit,
        "used": gauge.used,
        "headroom": gauge.headroom,
        "share": gauge.share,
        "note": gauge.note,
    }


def _symbol_document(symbol: str, view: RiskView) -> dict[str, Any]:
    limit = view.symbol_limit(symbol)
    return {"symbol": symbol.replace(" ", ".")} | {
        key: {
            "limit": getattr(limit, key),
            "source": _source(symbol, key, view) if getattr(limit, key) is not None else None,
        }
        for key in LIMIT_KEYS
    }
