"""`strategy compare`: a shadow beside what trades under its name, from the journal alone.

It needs no gateway and no trader, and disturbs none: a journal is read beside its writer.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output, values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.past_journal import past_journal
from ibkr_trader.cli.reporting import present
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core.text import UNKNOWN, average, money, percent, price, quantity, rounded
from ibkr_trader.rules.parity import MINIMUM, parity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.config import Place
    from ibkr_trader.core.events import DecisionEvent
    from ibkr_trader.rules.parity import Parity, Slip
    from ibkr_trader.rules.would_results import Results

_SHOWN = 20  # decisions of each kind
_NO_SHADOW = "edit its file while it trades, or start with: ibkr-trader run --shadow FILE"


def compare(face: Face, name: str, *, since: str) -> output.Reply:
    """Return how the newest shadow of `name` did beside what traded.

    Raises:
        UsageFault: If that strategy never had a shadow.
        JournalError: If the journal is damaged.
    """
    place = face.place()
    found = read(place, name, since=since)
    if found is None:
        raise UsageFault(f"strategy {name} has never been in the shadow here", hint=_NO_SHADOW)
    head = f"{place.profile.upper()}  {name}: the shadow {found.span.version} beside what traded"
    return output.Reply(
        schema="strategy-parity/1",
        data={"name": name, **document(found)},
        blocks=[head, *_blocks(found, utc=face.utc)],
    )


def read(place: Place, name: str, *, since: str = "") -> Parity | None:
    """Return how the newest shadow of `name` compares, out of a journal; None if it has none.

    Raises:
        UsageFault: If `since` is no moment.
        JournalError: If the journal is damaged.
    """
    with past_journal(place) as journal:
        if journal is None:
            return None
        begins = values.since(since, present(place, journal)) if since else None
        return parity((message for _, message in journal.messages()), name, since=begins)


def document(found: Parity) -> dict[str, Any]:
    """Return a comparison for scripts."""
    return {
        "version": found.span.version,
        "since": found.span.begins,
        "until": found.span.ends,
        "sample": found.sample,
        "minimum": MINIMUM,
        "decisions": {
            "same": [_same(one, other) for one, other in found.same],
            "only_live": [_decision(one) for one in found.only_live],
            "only_shadow": [_decision(one) for one in found.only_shadow],
        },
        "live": results_document(found.live),
        "shadow": results_document(found.shadow),
        "latency_ms": {
            "live": _latency(found.waits),
            "shadow": _latency(found.shadow_waits),
            "order": _latency(found.ways),
        },
        "slippage": [_slip(one) for one in found.slips],
        "outcomes": {one.value.lower(): count for one, count in found.outcomes.items()},
        "denials": dict(found.denials),
        "faults": list(found.faults),
    }


def _slip(one: Slip) -> dict[str, Any]:
    return {
        "decision_id": one.decision_id,
        "symbol": one.ticker,
        "quantity": one.quantity,
        "paid": rounded(one.paid),
        "modelled": one.modelled,
        "worse": rounded(one.worse),
    }


def _decision(one: DecisionEvent) -> dict[str, Any]:
    return {
        "at": one.at,
        "decision_id": one.decision_id,
        "rule": one.rule,
        "symbol": one.ticker,
        "cause": one.cause,
        "words": one.words,
    }


def _same(one: DecisionEvent, other: DecisionEvent) -> dict[str, Any]:
    return {**_decision(one), "shadow_words": other.words, "is_alike": one.words == other.words}


def results_document(results: Results) -> dict[str, Any]:
    """Return the sums of trips for scripts."""
    return {
        "trips": len(results.gains),
        "wins": results.wins,
        "gain": results.gain,
        "fees": results.fees,
        "profit_factor": results.profit_factor,
        "max_drawdown": results.drawdown,
    }


def _milliseconds(span: timedelta) -> float:
    return round(span.total_seconds() * 1000, 3)


def _latency(spans: Sequence[timedelta]) -> dict[str, Any]:
    if not spans:
        return {"count": 0, "median": None, "most": None}
    middle = median(map(_milliseconds, spans))
    return {"count": len(spans), "median": middle, "most": _milliseconds(max(spans))}


def _blocks(found: Parity, *, utc: bool) -> list[str | output.Table]:
    span = found.span
    until = f" until {when(span.ends, utc=utc)}, when it was promoted" if span.ends else ""
    blocks: list[str | output.Table] = [
        f"since {when(span.begins, utc=utc)}{until}",
        _sums(found),
        *_differences(found, utc=utc),
        *_slippage(found),
    ]
    blocks += [f"denied {count} times: {why}" for why, count in sorted(found.denials.items())]
    blocks += [f"a rule of the shadow raised: {one}" for one in found.faults]
    enough = "enough" if found.sample >= MINIMUM else f"too few: {MINIMUM} is the least"
    return [*blocks, f"The sample: {counted(found.sample, 'decision')} of the shadow, {enough}"]


def _sums(found: Parity) -> output.Table:
    unlike = sum(1 for one, other in found.same if one.words != other.words)
    both = str(len(found.same)) + (f" ({unlike} on other terms)" if unlike else "")
    live, shadow = found.live, found.shadow
    rows = (
        ("decisions both made", both, both),
        ("decisions of one alone", str(len(found.only_live)), str(len(found.only_shadow))),
        ("latency, median", _median(found.waits), _median(found.shadow_waits)),
        ("decision to order, median", _median(found.ways), ""),
        ("trips", str(len(live.gains)), str(len(shadow.gains))),
        ("of these won", str(live.wins), str(shadow.wins)),
        ("gain", money(live.gain, signed=True), money(shadow.gain, signed=True)),
        ("fees", money(live.fees), money(shadow.fees)),
        ("profit factor", factor(live.profit_factor), factor(shadow.profit_factor)),
        ("largest drawdown", money(live.drawdown), money(shadow.drawdown)),
    )
    return output.Table(("", "Live", "Shadow"), rows, right=frozenset({"Live", "Shadow"}))


def factor(value: Decimal | None) -> str:
    """Return a profit factor; without a loss there is none."""
    return UNKNOWN if value is None else f"{value:.2f}"


def _median(spans: Sequence[timedelta]) -> str:
    return f"{median(map(_milliseconds, spans)):.1f} ms" if spans else UNKNOWN


def _differences(found: Parity, *, utc: bool) -> list[str | output.Table]:
    rows = [("live", one) for one in found.only_live[-_SHOWN:]]
    rows += [("shadow", one) for one in found.only_shadow[-_SHOWN:]]
    if not rows:
        return []
    cells = tuple((when(one.at, utc=utc), who, one.rule, one.words) for who, one in rows)
    return [output.Table(("At", "Only", "Rule", "Decision"), cells)]


def _slippage(found: Parity) -> list[str | output.Table]:
    if not found.slips:
        return []
    rows = tuple(
        (
            one.ticker,
            quantity(one.quantity),
            average(one.paid),
            price(one.modelled),
            percent(one.worse / one.modelled),
        )
        for one in found.slips[-_SHOWN:]
    )
    heads = ("Entry", "Quantity", "Paid", "The model", "Worse by")
    return [output.Table(heads, rows, right=frozenset(heads[1:]))]
