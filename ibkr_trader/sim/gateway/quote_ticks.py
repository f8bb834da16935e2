"""From a change of the market to the ticks that tell it.

Only what changed is sent, as TWS does; a first picture sends everything there is. A side that
nobody quotes is price -1 and size 0.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.tick_replies import (
    Depth,
    DepthL2,
    TickBidAsk,
    TickGeneric,
    TickLast,
    TickMid,
    TickPrice,
    TickSize,
    TickString,
)
from ibkr_trader.sim.instruments import Tape

NO_PRICE = Decimal(-1)
ZERO = Decimal(0)
# tick types: name -> (live, delayed)
BID, ASK, LAST = (1, 66), (2, 67), (4, 68)
BID_SIZE, ASK_SIZE, LAST_SIZE = (0, 69), (3, 70), (5, 71)
HIGH, LOW, VOLUME, CLOSE, OPEN = (6, 72), (7, 73), (8, 74), (9, 75), (14, 76)
LAST_TIME = (45, 88)
MARK = 37
SHORTABLE, SHORTABLE_SHARES = 46, 89
HALTED = 49
_SIDES = ((BID, BID_SIZE), (ASK, ASK_SIZE), (LAST, LAST_SIZE))
_Level = tuple[Decimal | None, Decimal]
_MARK_REQUESTS = frozenset({"221", "232"})
_SHORTABLE_REQUEST = "236"


def quote_ticks(
    req_id: int, tape: Tape, last: Tape | None, *, delayed: bool, generic: str
) -> list[msgspec.Struct]:
    """Return the ticks that lead from `last` to `tape`.

    `generic` is the list of generic ticks that were asked for, as the client wrote it.
    """
    shown: list[msgspec.Struct] = []
    pick = int(delayed)
    before = _sides(last) if last is not None else (None, None, None)
    for (price_type, size_type), now, old in zip(_SIDES, _sides(tape), before, strict=True):
        shown += _sided(req_id, (price_type[pick], size_type[pick]), now=now, before=old)
    for kinds, price, was in (
        (HIGH, tape.high, last and last.high),
        (LOW, tape.low, last and last.low),
        (CLOSE, tape.close, last and last.close),
        (OPEN, tape.open, last and last.open),
    ):
        if price is not None and price != was:
            shown.append(TickPrice(req_id=req_id, tick_type=kinds[pick], price=price))
    if last is None or tape.volume != last.volume:
        shown.append(TickSize(req_id=req_id, tick_type=VOLUME[pick], size=tape.volume))
        stamp = str(int(tape.at.timestamp()))
        shown.append(TickString(req_id=req_id, tick_type=LAST_TIME[pick], text=stamp))
    if last is None or tape.halted != last.halted:
        halted = Decimal(int(tape.halted))
        shown.append(TickGeneric(req_id=req_id, tick_type=HALTED, value=halted))
    if _MARK_REQUESTS.intersection(generic.split(",")):
        shown += _mark(req_id, tape, last)
    return shown


def borrowing_ticks(
    req_id: int, generic: str, borrowing: tuple[Decimal, Decimal] | None
) -> list[msgspec.Struct]:
    """Return what is told once of how easy a share is to borrow, if that was asked for."""
    if borrowing is None or _SHORTABLE_REQUEST not in generic.split(","):
        return []
    figure, shares = borrowing
    return [
        TickGeneric(req_id=req_id, tick_type=SHORTABLE, value=figure),
        TickSize(req_id=req_id, tick_type=SHORTABLE_SHARES, size=shares),
    ]


def _sides(tape: Tape) -> tuple[_Level, _Level, _Level]:
    return (tape.bid, tape.bid_size), (tape.ask, tape.ask_size), (tape.last, tape.last_size)


def _sided(
    req_id: int, kinds: tuple[int, int], *, now: _Level, before: _Level | None
) -> list[msgspec.Struct]:
    price, size = now
    if before is None or price != before[0]:
        if price is None:
            if before is None and kinds[0] in LAST:
                return []  # nothing has traded yet
            return [TickPrice(req_id=req_id, tick_type=kinds[0], price=NO_PRICE)]
        return [TickPrice(req_id=req_id, tick_type=kinds[0], price=price, size=size)]
    if size != before[1]:
        return [TickSize(req_id=req_id, tick_type=kinds[1], size=size)]
    return []


def _mark(req_id: int, tape: Tape, last: Tape | None) -> list[msgspec.Struct]:
    mark = tape.mark
    if mark is None or (last is not None and last.mark == mark):
        return []
    return [TickPrice(req_id=req_id, tick_type=MARK, price=mark)]


def by_tick(
    req_id: int, tape: Tape, last: Tape | None, *, kind: str, exchange: str
) -> list[msgspec.Struct]:
    """Return the single ticks of one `kind` that lead from `last` to `tape`."""
    at = int(tape.at.timestamp())
    if kind in ("Last", "AllLast"):
        if tape.last is None or (last is not None and last.volume == tape.volume):
            return []
        number = 1 if kind == "Last" else 2
        return [
            TickLast(
                req_id=req_id,
                tick_type=number,
                at=at,
                price=tape.last,
                size=tape.last_size,
                exchange=exchange,
            )
        ]
    if tape.bid is None or tape.ask is None:
        return []
    if kind == "MidPoint":
        middle = (tape.bid + tape.ask) / 2
        if last is not None and (last.bid, last.ask) == (tape.bid, tape.ask):
            return []
        return [TickMid(req_id=req_id, at=at, price=middle)]
    if last is not None and _quote(last) == _quote(tape):
        return []
    return [
        TickBidAsk(
            req_id=req_id,
            at=at,
            bid=tape.bid,
            ask=tape.ask,
            bid_size=tape.bid_size,
            ask_size=tape.ask_size,
        )
    ]


def _quote(tape: Tape) -> tuple[Decimal | None, Decimal | None, Decimal, Decimal]:
    return (tape.bid, tape.ask, tape.bid_size, tape.ask_size)


def depth_lines(
    req_id: int, tape: Tape, last: Tape | None, *, is_smart: bool
) -> list[msgspec.Struct]:
    """Return the changes of the book: its one level, as the exchange quotes no other."""
    shown: list[msgspec.Struct] = []
    old = _sides(last) if last is not None else (None, None, None)
    for side, now, before in zip((1, 0), _sides(tape)[:2], old[:2], strict=True):
        if now == before:
            continue
        had = before is not None and before[0] is not None
        price, size = now
        if price is None:
            if had:
                shown.append(_line(req_id, (2, side), (ZERO, ZERO), is_smart=is_smart))
            continue
        shown.append(_line(req_id, (int(had), side), (price, size), is_smart=is_smart))
    return shown


def _line(
    req_id: int, place: tuple[int, int], level: tuple[Decimal, Decimal], *, is_smart: bool
) -> msgspec.Struct:
    operation, side = place
    price, size = level
    if not is_smart:
        return Depth(
            req_id=req_id, position=0, operation=operation, side=side, price=price, size=size
        )
    return DepthL2(
        req_id=req_id,
        position=0,
        market_maker="SIM",
        operation=operation,
        side=side,
        price=price,
        size=size,
        is_smart=True,
    )
