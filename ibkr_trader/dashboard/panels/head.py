"""Whose desk this is, whether it may trade, whether it hears the market, and what is at stake.

Three lines. The first is a bar in the profile's colour with its name in words: nobody takes a
live desk for a paper one. The third tells what is wrong; while nothing is, how the day went.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from decimal import Decimal

from ibkr_trader.core.lapses import until
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money
from ibkr_trader.dashboard import model
from ibkr_trader.dashboard.palette import Role
from ibkr_trader.dashboard.panels.bars import bar, fullness, in_percent
from ibkr_trader.dashboard.panels.equity import sparkline, trend
from ibkr_trader.dashboard.panels.packing import Piece, packed
from ibkr_trader.dashboard.panels.positions import is_naked, signed_money
from ibkr_trader.dashboard.panels.times import clock
from ibkr_trader.dashboard.scene import Head, Light, Scene
from ibkr_trader.dashboard.spans import Line, Span, cells, fit, padded, safe, say

PROFILES = {"live": Role.LIVE, "paper": Role.PAPER, "sim": Role.SIM}
_STATES = {"ACTIVE": Role.ACTIVE, "REDUCING": Role.REDUCING, "HALTED": Role.HALTED}
_LIGHTS: dict[Light, tuple[str, str, Role]] = {
    Light.UP: ("●", "", Role.UP),
    Light.WAITING: ("◐", " waits", Role.WAITING),
    Light.DOWN: ("○", " DOWN", Role.DOWN),
    Light.UNKNOWN: ("?", " unknown", Role.WAITING),
}
_SOON = 600  # seconds before the close that a warning begins
_CURVE = 24  # cells
_WORDS = 48  # cells: what the line to the trader says comes before when it was last heard


def head_lines(scene: Scene, width: int, *, line: model.Line, zone: tzinfo) -> list[Line]:
    """Return the three lines of the head; `line` tells whether it is still true."""
    head = scene.head
    who = packed(list(_who(head, zone)), width, _bar_role(head), indent=0)
    is_told = any(safe(head.reason) in text for text, _ in who)
    what = list(_what(scene, zone, reason="" if is_told else head.reason))
    return [
        who,
        packed(list(_how(head)), width),
        _stale(head, line, width, zone=zone) or packed(what, width),
    ]


def badge(head: Head) -> Span:
    """Return the profile as it is marked everywhere: a word in its colour."""
    return say(f" {head.profile.upper()} ", _bar_role(head))


def state_of(head: Head) -> Span:
    """Return the trading state; one that nobody knows is as grave as a halt."""
    return say(f" {head.state} ", _STATES.get(head.state, Role.HALTED))


def _bar_role(head: Head) -> Role:
    """Whatever is not known to be harmless is shown as live."""
    return PROFILES.get(head.profile, Role.LIVE)


def _who(head: Head, zone: tzinfo) -> Iterator[Piece]:
    role = _bar_role(head)
    yield Piece((badge(head), say(head.account, role)))
    yield Piece((state_of(head),))
    if head.reason:
        yield Piece((say(head.reason, role),), may_be_cut=True, least=10)
    if head.is_readonly:
        yield Piece((Span(" READ-ONLY ", Role.STALE),), rank=1)
    yield Piece((Span(f"{clock(head.now, zone)} ", role),), rank=1, is_right=True)


def _armed(head: Head, zone: tzinfo) -> Span:
    if head.armed_until is None or head.armed_until <= head.now:
        return Span("not armed", Role.WARNING)
    return Span(f"armed until {clock(head.armed_until, zone)}", Role.WARNING)


def _how(head: Head) -> Iterator[Piece]:
    lights = ((head.socket, "socket"), (head.link, "link"), (head.data, "data"))
    for light, name in lights:
        mark, word, role = _LIGHTS[light]
        yield Piece((Span(f"{mark} {name}{word}", role),))
    yield _session(head)
    day = signed_money(head.day_net)
    told: Line = (Span("day "), day)
    limit: Line = (Span(f" (limit {money(head.day_limit)})", Role.DIM),)
    yield Piece((*told, *(limit if head.day_limit is not None else ())), rank=3, short=told)
    heat = _heat(head)
    if heat is not None:
        yield heat


def _session(head: Head) -> Piece:
    if head.is_open is None:
        return Piece((Span("session unknown", Role.WARNING),), rank=1)
    if head.turns_at is None:
        return Piece((Span("open" if head.is_open else "closed"),), rank=1)
    lasts = until(head.turns_at, head.now)
    is_soon = head.is_open and (head.turns_at - head.now).total_seconds() < _SOON
    role = Role.WARNING if is_soon else Role.PLAIN
    told, short = ("closes in", "closes") if head.is_open else ("closed, opens in", "opens")
    return Piece((Span(f"{told} {lasts}", role),), rank=1, short=(Span(f"{short} {lasts}", role),))


def _heat(head: Head) -> Piece | None:
    """What is lost if every stop hits now."""
    if head.heat is None and head.heat_limit is None:
        return None
    share = _share(head.heat, head.heat_limit)
    if share is None:
        return Piece((Span(f"heat {money(head.heat)}"),), rank=2)
    word, role = fullness(share)
    amount = f"heat {money(head.heat)} of {money(head.heat_limit)} "
    used = Span(f"{in_percent(share)} {word}".rstrip(), role)
    return Piece(
        (Span(amount), Span(bar(share, 8), role), Span(" "), used),
        rank=2,
        short=(Span("heat "), Span(in_percent(share), role)),
    )


def _share(used: Decimal | None, limit: Decimal | None) -> Decimal | None:
    if used is None or limit is None or not used.is_finite() or not limit.is_finite():
        return None
    return used / limit if limit > ZERO else None


def _stale(head: Head, line: model.Line, width: int, *, zone: tzinfo) -> Line:
    """Say that what is shown is past, instead of everything else that the line could say."""
    if line.is_up:
        return ()
    since = f" STALE since the trader is gone: {safe(line.words) or 'nobody knows why'}"
    last = f" (last heard {clock(head.now, zone)}) "
    room = width - cells(last)
    if room < _WORDS:
        last, room = "", width
    told = since + last if cells(since) <= room else fit(since, room) + last
    return padded((Span(told, Role.STALE),), width, Role.STALE)


def _what(scene: Scene, zone: tzinfo, *, reason: str) -> Iterator[Piece]:
    head = scene.head
    yield from _alarms(scene)
    if head.trouble:
        yield Piece((say(f"! {head.trouble}", Role.WARNING),), may_be_cut=True)
    if reason:  # the bar above had no room for all of it
        yield Piece(
            (say(f"{head.state}: {reason}", Role.WARNING),), rank=1, may_be_cut=True, least=64
        )
    if head.profile == "live":
        yield Piece((_armed(head, zone),), rank=2)
    over = sum(row.share is not None and row.share > 1 for row in scene.gauges)
    if over:
        told = f" {over} limit{'' if over == 1 else 's'} OVER "
        yield Piece((Span(told, Role.HALTED),), rank=2)
    if scene.equity and not head.trouble:
        curve = sparkline(scene.equity, _CURVE)
        yield Piece((Span("equity "), Span(curve, trend(scene.equity))), rank=3)
    if head.net_liquidation is not None:
        yield Piece((Span(f"net {money(head.net_liquidation)}"),), rank=4)
    if head.version:
        told = f"{head.version} pid {head.pid} " if head.pid else f"{head.version} "
        yield Piece((say(told, Role.DIM),), rank=5, is_right=True)


def _alarms(scene: Scene) -> Iterator[Piece]:
    """What no filter, sorting or scrolling may hide."""
    naked = sum(map(is_naked, scene.positions))
    if naked:
        yield Piece((Span(f" {naked} NAKED ", Role.NAKED),))
    unknown = sum(row.is_unknown for row in scene.orders.values())
    if unknown:
        told = f" {unknown} order{'' if unknown == 1 else 's'} UNKNOWN "
        yield Piece((Span(told, Role.UNKNOWN),))
    if scene.head.alarms:
        told = f" {scene.head.alarms} alarm{'' if scene.head.alarms == 1 else 's'}: n "
        yield Piece((Span(told, Role.REDUCING),))
    if scene.head.halts:
        names = ", ".join(scene.head.halts)
        short = (Span(f" {len(scene.head.halts)} symbols halted ", Role.REDUCING),)
        yield Piece((say(f" halted: {names} ", Role.REDUCING),), rank=1, short=short)
