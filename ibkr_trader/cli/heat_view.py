"""`heat`: what is lost if every stop hits now, position by position and in all."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.day_view import day_document, price_held
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import UNKNOWN, money, percent, price, quantity
from ibkr_trader.portfolio.currency import FOREIGN, currency_of, is_foreign
from ibkr_trader.portfolio.heat import ContractHeat, diversified

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.risk.view import RiskView

_CENT = Decimal("0.01")
_RIGHT = frozenset({"QTY", "MARK", "STOP", "TO STOP", "WITH GAP", "RESULT", "AMOUNT", "OF LIMIT"})
_HEADERS = ("SYMBOL", "QTY", "MARK", "STOP", "COVER", "TO STOP", "WITH GAP", "RESULT")


class _Totals:
    """The sums of everything whose heat is known, stops alone and with gaps."""

    def __init__(self, view: RiskView, found: Sequence[ContractHeat]) -> None:
        ranges, gap = _ranges(view), view.limits.heat_gap
        there = [(one, one.total) for one in found if one.total is not None]
        stops = [(one.contract.symbol, total * one.lean) for one, total in there]
        gaps = [
            (one.contract.symbol, (total + one.gap(ranges, gap)) * one.lean) for one, total in there
        ]
        self.stops = sum((abs(loss) for _, loss in stops), ZERO)
        self.gaps = sum((abs(loss) for _, loss in gaps), ZERO)
        self.diversified = diversified(stops, view.correlations).quantize(_CENT)
        self.diversified_gaps = diversified(gaps, view.correlations).quantize(_CENT)


async def heat(face: Face) -> output.Reply:
    """Return what every stop hit now would lose."""
    async with desk_for(face) as desk:
        await price_held(desk)
        view = desk.trader.outlook.view()
        found = sorted(view.heat_now().contracts.values(), key=lambda one: one.contract.symbol)
        found = [one for one in found if one.quantity or one.total != 0]
        totals = _Totals(view, found)
        head = title(face.settings(), desk)
        blocks: list[str | output.Table] = [f"{head}  nothing is held, and nothing may open"]
        if found:
            blocks = [head, _table(view, found), *remarks(view, found), _sums(desk, view, totals)]
        return output.Reply(
            schema="heat/1",
            data=_document(desk, view, found, totals=totals),
            blocks=blocks,
        )


def _table(view: RiskView, found: Sequence[ContractHeat]) -> output.Table:
    rows: list[tuple[str, ...]] = []
    for one in found:
        if one.quantity:
            rows.append(
                (
                    label(one.contract),
                    quantity(one.quantity),
                    price(one.mark),
                    price(one.stop) if one.stop is not None else "no stop",
                    f"{quantity(one.covered)}/{quantity(abs(one.quantity))}",
                    _loss(one.held),
                    _loss(_with_gap(one, view)),
                    money(one.result, signed=True),
                )
            )
        if one.entries or one.entries is None:
            name = f"{label(one.contract)} entries"
            rows.append((name, "", price(one.mark), "", "", _loss(one.entries), "", ""))
    return output.Table(_HEADERS, tuple(rows), _RIGHT, spare=("RESULT", "MARK"))


def remarks(view: RiskView, found: Sequence[ContractHeat]) -> list[str]:
    """Return a line for everything that is only assumed."""
    far = percent(view.limits.max_stop_distance, digits=0)
    lines = [
        f"  {label(one.contract)}: no working stop for {quantity(one.uncovered)} of it; counted as "
        f"if stopped {far} away. Next: ibkr-trader cover --fix"
        for one in found
        if one.uncovered and not _is_foreign(one, view)
    ]
    lines += [
        f"  {label(one.contract)}: nobody knows its price. Next: ibkr-trader quote "
        f"{ticker(one.contract)}"
        for one in found
        if one.total is None and not _is_foreign(one, view)
    ]
    lines += [
        f"  {label(one.contract)}: not in the sums: {FOREIGN.format(one.contract.currency)}"
        for one in found
        if _is_foreign(one, view)
    ]
    ranges = _ranges(view)
    if missing := sorted({o.contract.symbol for o in found if o.contract.symbol not in ranges}):
        lines.append(
            f"  {', '.join(missing)}: the daily range is unknown, 5 % is taken. "
            "Next: ibkr-trader update-correlations"
        )
    return lines


def _sums(desk: Desk, view: RiskView, totals: _Totals) -> output.Table:
    rows = [
        ("every stop hits", _loss(totals.stops), _share(totals.stops, _limit(view))),
        ("with gaps, all at once", _loss(totals.gaps), _share(totals.gaps, _limit(view))),
        ("diversified", _loss(totals.diversified), _share(totals.diversified, _limit(view))),
        (
            "diversified, with gaps",
            _loss(totals.diversified_gaps),
            _share(totals.diversified_gaps, _limit(view)),
        ),
        ("limit (max_heat)", money(_limit(view)), ""),
    ]
    left = _left(desk)
    rows.append(("loss of the day left", money(left), _share(totals.stops, left)))
    return output.Table(
        ("IF", "AMOUNT", "OF LIMIT"), tuple(rows), _RIGHT, bars=frozenset({"OF LIMIT"})
    )


def _document(
    desk: Desk, view: RiskView, found: Sequence[ContractHeat], *, totals: _Totals
) -> dict[str, Any]:
    return {
        "account": desk.trader.account,
        "positions": [position_document(one, view) for one in found],
        "every_stop": totals.stops,
        "with_gaps": totals.gaps,
        "diversified": totals.diversified,
        "diversified_with_gaps": totals.diversified_gaps,
        "correlation_one": totals.gaps,
        "max_heat": _limit(view),
        "day": day_document(desk),
        "loss_left": _left(desk),
        "unknown": [ticker(one.contract) for one in found if one.total is None],
    }


def _with_gap(one: ContractHeat, view: RiskView) -> Decimal | None:
    """What a position alone loses if its stops are passed by a gap."""
    if one.held is None:
        return None
    return one.held + one.held_gap(_ranges(view), view.limits.heat_gap)


def _is_foreign(one: ContractHeat, view: RiskView) -> bool:
    return is_foreign(one.contract, currency_of(view.portfolio))


def position_document(one: ContractHeat, view: RiskView) -> dict[str, Any]:
    """Return one contract's part of the document."""
    return {
        "symbol": ticker(one.contract),
        "con_id": one.contract.con_id,
        "quantity": one.quantity,
        "mark": one.mark,
        "stop": one.stop,
        "covered": one.covered,
        "uncovered": one.uncovered,
        "to_stop": one.held,
        "entries": one.entries,
        "with_gap": _with_gap(one, view),
        "result": one.result,
    }


def _ranges(view: RiskView) -> Mapping[str, Decimal]:
    return view.correlations.ranges if view.correlations is not None else {}


def _limit(view: RiskView) -> Decimal | None:
    values = view.portfolio.values
    equity = values.net_liquidation if values is not None else None
    return None if equity is None else (equity * view.limits.max_heat).quantize(_CENT)


def _left(desk: Desk) -> Decimal | None:
    """What may still be lost today; None if nobody knows what has been."""
    net, limit = desk.trader.outlook.pnl.net, desk.trader.outlook.limits.max_daily_loss
    return None if net is None else max(ZERO, limit - max(ZERO, -net))


def _loss(value: Decimal | None) -> str:
    return UNKNOWN if value is None else money(-value, signed=True)


def _share(part: Decimal, whole: Decimal | None) -> str:
    if whole is None:
        return UNKNOWN
    return percent(part / whole, digits=0) if whole else "100 %"
