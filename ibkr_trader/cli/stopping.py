"""`halt` from the outside in: the flag file first, then whoever can cancel what works.

Nothing is needed for the flag but a folder. The trader, or a desk of our own, then records
the halt and cancels; if neither can be had, the flag holds, and what is left is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.adapters.user import user_name
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, Incomplete, Unconfirmed, UsageFault, classify
from ibkr_trader.cli.remote import at_the_trader
from ibkr_trader.core.errors import AccountLocked, ConfigError, TraderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibkr_trader.cli.face import DeskCommand, Face
    from ibkr_trader.core.models import Order

ORIGIN = "cli"
NO_REASON = "no reason given"
_UNCONFIRMED, _USAGE = "confirmation_needed", "usage"
_ENDS = {
    "gateway_unreachable": "the gateway answers",
    "outcome_unknown": "the gateway answers",
    "account_locked": "the trader answers, or has ended",
    "journal": "the journal is mended",
}
_SIGNAL = "kill -USR1 the trader, or cancel all in TWS"


def halt(face: Face, at_desk: DeskCommand, options: dict[str, Any]) -> output.Reply:
    """Halt, by whatever works, and reply with what was done and what is left.

    Raises:
        Unconfirmed: If what is held should be closed, and nobody agrees to it; it is halted.
        TraderError: If nothing at all could be halted.
    """
    if face.dry_run:
        return _at_a_desk(face, at_desk, options)
    options = {**options, "reason": options["reason"].strip() or NO_REASON}
    try:
        face.place()
    except ConfigError as error:  # then nobody knows whose flag it would be
        message = f"NOT halted: {error.message}"
        raise ConfigError(message, hint=f"{_SIGNAL}; then mend this: {error.hint}") from error
    # A file halts everything; one symbol is halted at a desk, or in the journal.
    trouble = ""
    if not options["symbol"]:
        trouble = raise_flag(HaltFile(face.place().kill_flag), options, by=user_name())
    if not options["symbol"] and not trouble:
        output.note("HALTED: nothing is opened from now on")
    try:
        return _at_a_desk(face, at_desk, options)
    except TraderError as error:
        if options["symbol"] and _is_typed_wrong(error):
            raise
        if isinstance(error, Unconfirmed) or getattr(error, "code", "") == _UNCONFIRMED:
            message = f"HALTED, and nothing was closed: {error.message}"
            raise Unconfirmed(message, hint=error.hint) from error
        return _left_alone(face, options, error, flag_trouble=trouble)
    except Exception as error:  # noqa: BLE001 - whatever is broken, the flag holds: that is to be said
        fault = TraderError(f"a fault of ours: {type(error).__name__}: {error}")
        return _left_alone(face, options, fault, flag_trouble=trouble)


def _is_typed_wrong(error: TraderError) -> bool:
    """Whether there is no such symbol, here or at the trader: then nothing is halted."""
    return isinstance(error, UsageFault) or getattr(error, "code", "") == _USAGE


def _at_a_desk(face: Face, at_desk: DeskCommand, options: dict[str, Any]) -> output.Reply:
    reply = at_the_trader(face, at_desk, options)
    if reply is not None:
        return reply
    from ibkr_trader.cli.waiting import run_async  # noqa: PLC0415 - asyncio takes time

    try:
        ours: output.Reply = run_async(at_desk.body(face, **options))
    except AccountLocked:  # a trader may have started in the meantime
        reply = at_the_trader(face, at_desk, options)
        if reply is None:
            raise
        return reply
    return ours


def raise_flag(flag: HaltFile, options: Mapping[str, Any], *, by: str) -> str:
    """Put the flag there, whatever else is missing from a halt; return what kept it from that."""
    return flag.put(
        options.get("reason") or NO_REASON,
        origin=ORIGIN,
        by=by,
        at=f"{SystemClock().now():%Y-%m-%dT%H:%M:%SZ}",
        keeps_entries=bool(options.get("keep_entries")),
    )


def _left_alone(
    face: Face, options: dict[str, Any], error: TraderError, *, flag_trouble: str
) -> output.Reply:
    """Nobody could cancel: say what holds all the same, and what is left."""
    symbol = options["symbol"]
    is_recorded, left = _recorded(face, options)
    place = face.place()
    is_flagged = not symbol and not flag_trouble
    if not (is_recorded or is_flagged):
        what = symbol or "this desk"
        message = f"{what} is NOT halted: {error.message}"
        if flag_trouble:
            message += f"; {flag_trouble}"
        raise Incomplete(message, hint=_by_other_means(place.kill_flag, symbol)) from error
    by = "by the flag file" if is_flagged else "in the journal"
    held = f"{symbol} HALTED" if symbol else "HALTED"
    head = f"{place.profile.value.upper()}  {held} {by}: nothing is opened"
    blocks: list[str | output.Table] = [f"{head}; {_left(left, options)}", f"Why: {error.message}"]
    blocks += _named(left or ())
    if options["flatten"]:
        blocks.append("Nothing was closed.")
    blocks.append(f"Next: repeat this command when {_obstacle(error)}  {error.hint}".rstrip())
    data = {
        "state": "HALTED",
        "symbol": symbol,
        "reason": options["reason"],
        "flag": str(place.kill_flag) if is_flagged else None,
        "is_recorded": is_recorded,
        "cancelled": [],
        "left": [order.order_id for order in left or ()],
        "kept": [],
        "closed": [],
        "not_closed": [],
        "is_flat": None,
        "trouble": error.message,
    }
    return output.Reply(schema="halted/1", data=data, blocks=blocks, exit=Exit.INCOMPLETE)


def _obstacle(error: TraderError) -> str:
    """What has to end before the rest can be done; the gateway is not always the cause."""
    code = getattr(error, "code", None)  # of what a trader has told
    return _ENDS.get(code if isinstance(code, str) else classify(error)[0], "that is mended")


def _recorded(face: Face, options: dict[str, Any]) -> tuple[bool, list[Order] | None]:
    """Try the journal; None says that nobody knows which orders work."""
    try:
        from ibkr_trader.cli.halting import record_alone  # noqa: PLC0415 - brings the journal

        return record_alone(face, options)
    except Exception:  # noqa: BLE001 - as above
        return False, None


def _left(left: list[Order] | None, options: dict[str, Any]) -> str:
    """What is left, as far as that is known: the broker alone could say, and was not asked."""
    unknown = "which orders could still open is not known"
    if left is None:
        return unknown
    if not left:
        return f"{unknown}: the journal has none, and the broker cannot be asked"
    count = f"{len(left)} opening order{'' if len(left) == 1 else 's'}"
    done = "kept" if options["keep_entries"] else "could not be cancelled"
    return f"{count} {done}, as far as the journal knows"


def _named(left: Sequence[Order]) -> list[str]:
    if not left:
        return []
    from ibkr_trader.cli.order_view import sentence  # noqa: PLC0415 - as above

    return [f"  {order.order_id}  {sentence(order.spec)}" for order in left]


def _by_other_means(path: object, symbol: str) -> str:
    if symbol:
        return "ibkr-trader halt, which halts everything and needs nobody"
    return f"touch {path}, or {_SIGNAL}"
