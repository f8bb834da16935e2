"""How the broker and the exchange behave at present: what may be changed while they run.

`ExchangeConfig` is settled when an exchange is founded. These rules are what a test, or a
person with `gateway inject`, changes in the middle of a day; they outlive a restart.
"""

from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.matching import own_limit
from ibkr_trader.sim.orders import ZERO, Refusal, SimOrder
from ibkr_trader.sim.precautions import Precautions

_HUNDRED = Decimal(100)


class PriceCap(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker lets orders in one instrument trade at; None is no bound."""

    buy: Decimal | None = None  # the most a buy may pay
    sell: Decimal | None = None  # the least a sale may take


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Orders to be refused: the next `times` whose reference fits `ref` (`stop`, `*`).

    Attributes:
        code: 201 makes the order Inactive, as a rejection by the exchange; any other leaves
            nothing of it.
        of_changes: It is changes of working orders that are refused, and not new orders.
    """

    ref: str
    code: int = 201
    text: str = "Order rejected - reason:Rejected by the exchange."
    times: int = 1
    of_changes: bool = False


class Nap(msgspec.Struct, frozen=True, kw_only=True):
    """The next order whose reference fits `ref` is said to be Inactive, and goes live later.

    Attributes:
        ref: A reference, or its last part (`stop`); `*` stands for any letters.
        seconds: How long; None is until it is cancelled.
    """

    ref: str = "*"
    seconds: int | None = 30


class FloorRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force.

    Attributes:
        slow_oca: The OCA types whose links work a second late: what fills within that second
            is not taken back (IBKR: no guarantee that a cancel comes before an execution). 3
            is the overfill of a group without block; 1 and 2 make it happen with block, too.
        cancels_whole_oca: A member that its client cancels takes the others of its group
            along, as older descriptions of TWS say.
        refuses_halted: Orders in a halted instrument are refused (154); else they wait.
        band: A limit further through the market than so many percent is cancelled (202).
        caps: By con_id.
        locates: By con_id: seconds until shares are found, None for never.
        precautions: What the person at TWS has set up for orders of the API.
        naps: Orders to be told Inactive for a while.
        bracket_mode: What exits do while their entry is partly filled; None is as configured.
        most_a_side: Orders that may work on one side of a contract (IBKR: 20); the next is
            rejected. None is any number.
    """

    slow_oca: tuple[int, ...] = ()
    cancels_whole_oca: bool = False
    refuses_halted: bool = False
    band: Decimal | None = None
    caps: dict[int, PriceCap] = {}
    locates: dict[int, int | None] = {}
    rejections: tuple[Rejection, ...] = ()
    precautions: Precautions = Precautions()
    bracket_mode: BracketMode | None = None
    naps: tuple[Nap, ...] = ()
    most_a_side: int | None = None


def cap_of(rules: FloorRules, order: SimOrder) -> Decimal:
    """Return the price the broker holds a working order to; 0 if its own limit is tighter."""
    cap = rules.caps.get(order.terms.con_id)
    if cap is None:
        return ZERO
    bound, limit = cap.buy if order.side is Side.BUY else cap.sell, own_limit(order)
    if bound is None:
        return ZERO
    if limit is None:
        return bound
    tighter = min if order.side is Side.BUY else max
    return bound if tighter(limit, bound) != limit else ZERO


def is_too_far(rules: FloorRules, order: SimOrder, tape: Tape) -> bool:
    """Say whether a limit lies beyond the band: so far through the market that it is a slip."""
    if rules.band is None or order.terms.order_type != "LMT":
        return False
    limit, quoted = own_limit(order), tape.ask if order.side is Side.BUY else tape.bid
    if limit is None or quoted is None:
        return False
    through = (limit - quoted) * order.side.sign
    return through * _HUNDRED > quoted * rules.band


def rejection_of(
    rules: FloorRules, ref: str, *, of_changes: bool = False
) -> tuple[FloorRules, Refusal | None]:
    """Return the refusal that an order with this reference meets, and the rules after it."""
    for at, one in enumerate(rules.rejections):
        if one.of_changes is of_changes and fits(ref, one.ref):
            rest = (msgspec.structs.replace(one, times=one.times - 1),) if one.times > 1 else ()
            left = (*rules.rejections[:at], *rest, *rules.rejections[at + 1 :])
            refusal = Refusal(code=one.code, text=one.text)
            return msgspec.structs.replace(rules, rejections=left), refusal
    return rules, None


def fits(ref: str, name: str) -> bool:
    """Say whether a reference is called so: by its last part, or with `*` and `?` for letters."""
    return ref.endswith(f"-{name}") or fnmatchcase(ref, name)


def nap_of(rules: FloorRules, ref: str) -> tuple[FloorRules, Nap | None]:
    """Return the nap that an order with this reference takes, and the rules after it."""
    for at, one in enumerate(rules.naps):
        if fits(ref, one.ref):
            left = (*rules.naps[:at], *rules.naps[at + 1 :])
            return msgspec.structs.replace(rules, naps=left), one
    return rules, None
