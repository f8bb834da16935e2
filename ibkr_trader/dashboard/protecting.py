"""The dialog that gives a position without a stop one: at a price, or one that trails.

It adds no risk, so Enter sends it. But a stop that is too large, or beyond the market, would
open or end something: what is held is looked at again when Enter is pressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import contract_of, label
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import price, quantity
from ibkr_trader.dashboard import terms
from ibkr_trader.dashboard.choosing import held_in
from ibkr_trader.dashboard.model import EditDialog, Field, Model, Tone
from ibkr_trader.dashboard.steps import command, perform, say, stay

if TYPE_CHECKING:
    from ibkr_trader.dashboard.effects import Act
    from ibkr_trader.dashboard.scene import PositionRow
    from ibkr_trader.dashboard.steps import Step

_STOP, _TRAIL = "orders.order", "linked.trailing-stop"


def dialog(held: PositionRow) -> EditDialog:
    """Return the dialog for what is held without a stop."""
    return EditDialog(
        title=_title(held),
        fields=(Field(name="stop", label="Stop"),),
        position=held,
        hint="147.50: a stop there   2%: a stop that trails by it   Esc leaves it as it is",
    )


def send(model: Model, shown: EditDialog, seen: PositionRow) -> Step:
    """Send a stop for what `shown` was opened on, if that is still what is held."""
    held = held_in(model, seen.con_id)
    if held is None or (held.quantity > 0) is not (seen.quantity > 0):
        text = f"{seen.symbol} is not held like that any more; nothing was sent"
        return say(model, text, Tone.WARNING, dialog=None)
    shown = msgspec.structs.replace(shown, position=held, title=_title(held))
    if (held.quantity, held.covered, held.stop_id) != (seen.quantity, seen.covered, seen.stop_id):
        return _refused(model, shown, f"it is now: {_title(held)}; Enter sends all the same")
    found = _act(model, held, shown.fields[0].text)
    if isinstance(found, str):
        return _refused(model, shown, found)
    return perform(model, found, dialog=None)


def _title(held: PositionRow) -> str:
    covered = f", {quantity(held.covered)} of it covered" if held.covered else ""
    return f"Protect {quantity(held.quantity, signed=True)} {held.symbol}{covered}"


def _refused(model: Model, shown: EditDialog, fault: str) -> Step:
    return stay(model, dialog=msgspec.structs.replace(shown, fault=fault, is_sending=False))


def _act(model: Model, held: PositionRow, text: str) -> Act | str:
    """The command for what is typed; or why there is none, on one line."""
    if fault := _fault(model, held):
        return fault
    size = _bare(held)
    if text.endswith("%"):
        share = terms.figure(text.removesuffix("%"))
        if share is None or share >= 100:  # noqa: PLR2004 - per cent
            return f"{text!r} is no share of the price"
        words = f"trail {held.symbol} by {text}"
        options = {"symbol": held.ticker, "quantity": size, "trail_percent": terms.plainly(share)}
        return command(_TRAIL, words, more=options)
    at = terms.figure(text)
    if at is None:
        return f"{text!r} is no price" if text else "type a price, or 2%"
    if terms.is_through(at, held):
        return f"the market is at {price(held.last)}: a stop at {price(at)} would trade at once"
    side = "sell" if held.quantity > 0 else "buy"
    options = {"symbol": held.ticker, "side": side, "quantity": size, "kind": "stop"}
    options |= {"stop": terms.plainly(at), "tif": "gtc"}
    return command(_STOP, f"stop for {held.symbol} at {text}", more=options)


def _bare(held: PositionRow) -> str:
    """How much of it no stop would end."""
    return terms.size(max(ZERO, abs(held.quantity) - held.covered))


def _fault(model: Model, held: PositionRow) -> str:
    """Why no stop can be placed for it from here, whatever is typed; empty if one can."""
    if _bare(held) == "0":
        return f"{held.symbol} is covered already"
    if not terms.is_whole(_bare(held)):
        return f"{_bare(held)} {held.symbol} cannot be protected from here: it is no whole number"
    if not _is_plain(held):
        return f"{held.symbol} cannot be named in a command: place its stop in TWS"
    if any(_is_on_its_way(act, held) for act in model.calls.values()):
        return f"a stop for {held.symbol} is on its way: see what becomes of it first"
    return ""


def _is_plain(held: PositionRow) -> bool:
    """Whether the ticker alone names what is held: that of a future names a stock."""
    try:
        return label(contract_of(held.ticker)) == held.symbol
    except ValueError:
        return False


def _is_on_its_way(act: Act, held: PositionRow) -> bool:
    return act.command in {_STOP, _TRAIL} and act.options.get("symbol") == held.ticker
