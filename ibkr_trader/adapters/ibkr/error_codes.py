"""What IBKR's codes mean to us: one table, and nothing else decides.

A code is weak evidence. Both client libraries mark a live order cancelled at almost any of
them; fifteen orders have been sent for one intent that way. So a code that is not in this
table, and any that is called a warning here, never changes the state of an order.

Sources: IBKR's list of message codes, design notes on recorded sessions, and the codes that
the client libraries single out. `hint` says what a person can do.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a code can be evidence of."""

    REJECT = "reject"  # the order, or the change of it, was refused; may come at any time
    REFUSE = "refuse"  # the request just made was refused; what was there before stays
    CANCELLED = "cancelled"
    MODIFY_REFUSED = "modify refused"  # the order works on under its old terms
    CANCEL_REFUSED = "cancel refused"  # a question, not an answer: the order must be looked up
    DUPLICATE_ID = "duplicate id"  # our new order was not taken; the older one is untouched
    WARNING = "warning"  # never changes a state
    PACING = "pacing"  # we were too fast; what was sent may or may not have been taken
    CONFIG = "config"  # refused, and will be until somebody changes a setting
    DATA = "data"  # no market data, or not the kind that was asked for
    DATA_NOTE = "data note"  # market data comes, with a qualification
    LINK_LOST = "link lost"
    LINK_BACK = "link back"  # subscriptions live on; news may have been missed all the same
    LINK_RESET = "link reset"  # subscriptions are dead
    NOTICE = "notice"  # of the session; nothing to do
    CLIENT_ID = "client id"
    UNKNOWN = "unknown"


class Rule(NamedTuple):
    """One row: the kind, what it means to us, and what a person can do."""

    kind: Kind
    meaning: str
    hint: str = ""


_PRECAUTIONS = "look for a dialog in TWS, or at its precautionary settings"
_READONLY = "untick Read-Only API in TWS, Global Configuration, API, Settings"
_ONE_ID = "end the other program; another IBKR_CLIENT_ID could not change the orders placed so far"
_SUBSCRIBE = "subscribe to the exchange's data, or share it with the paper account"

ERROR_RULES: Mapping[int, Rule] = MappingProxyType(
    {
        # -- an order is refused ----------------------------------------------------------
        201: Rule(Kind.REJECT, "order rejected: margin, permission, limit or halt"),
        203: Rule(Kind.REJECT, "the security is not available to this account"),
        105: Rule(Kind.REFUSE, "the change does not match the order it names"),
        106: Rule(Kind.REFUSE, "the order could not be transmitted"),
        107: Rule(Kind.REFUSE, "the order is incomplete"),
        109: Rule(Kind.REFUSE, "price out of the range of precautions", _PRECAUTIONS),
        110: Rule(Kind.REFUSE, "the price does not conform to the contract's tick"),
        111: Rule(Kind.REFUSE, "time in force and order type do not go together"),
        113: Rule(Kind.REFUSE, "the time in force is wrong for a close order"),
        116: Rule(Kind.REFUSE, "the order cannot be transmitted to a dead exchange"),
        117: Rule(Kind.REFUSE, "the block order's size is too small"),
        118: Rule(Kind.REFUSE, "VWAP orders need a proper route"),
        124: Rule(Kind.REFUSE, "no preview for a what-if of this kind"),
        129: Rule(Kind.REFUSE, "error reading a trailing order"),
        131: Rule(Kind.REFUSE, "this order type is not allowed"),
        132: Rule(Kind.REFUSE, "the ratio of the order is wrong"),
        133: Rule(Kind.REFUSE, "submitting the order failed"),
        134: Rule(Kind.REFUSE, "modifying the order failed"),
        140: Rule(Kind.REFUSE, "an integer of the order could not be read"),
        141: Rule(Kind.REFUSE, "a number of the order could not be read"),
        146: Rule(Kind.REFUSE, "the trigger method is invalid"),
        152: Rule(Kind.REFUSE, "the display size is invalid for this type"),
        154: Rule(Kind.REFUSE, "the contract is halted"),
        157: Rule(Kind.REFUSE, "the order carries two parameters that exclude each other"),
        158: Rule(Kind.REFUSE, "the trailing amount or percentage is invalid"),
        159: Rule(Kind.REFUSE, "the trailing percentage is invalid"),
        163: Rule(Kind.REFUSE, "beyond the percentage allowed by precautions", _PRECAUTIONS),
        164: Rule(Kind.REFUSE, "no market data to check the price against"),
        200: Rule(Kind.REFUSE, "no such contract, or more than one"),
        328: Rule(Kind.REFUSE, "a trailing stop needs a limit or stop type"),
        329: Rule(Kind.REFUSE, "the change of order type is not possible"),
        334: Rule(Kind.REFUSE, "GTC is not possible here"),
        336: Rule(Kind.REFUSE, "the order's time is invalid"),
        355: Rule(Kind.REFUSE, "the size does not conform to the market rule"),
        361: Rule(Kind.REFUSE, "an invalid trigger price"),
        362: Rule(Kind.REFUSE, "an invalid adjusted stop price"),
        363: Rule(Kind.REFUSE, "an invalid adjusted stop limit price"),
        364: Rule(Kind.REFUSE, "an invalid adjusted trailing amount"),
        367: Rule(Kind.REFUSE, "volatility orders need a volatility"),
        382: Rule(Kind.REFUSE, "size beyond precautions", _PRECAUTIONS),
        383: Rule(Kind.REFUSE, "size beyond precautions", _PRECAUTIONS),
        387: Rule(Kind.REFUSE, "the order type is not supported here"),
        388: Rule(Kind.REFUSE, "the order is smaller than the minimum"),
        391: Rule(Kind.REFUSE, "the end time of the order is invalid"),
        392: Rule(Kind.REFUSE, "the start time of the order is invalid"),
        394: Rule(Kind.REFUSE, "the order's price limit is invalid"),
        395: Rule(Kind.REFUSE, "one-cancels-all is not accepted for this order"),
        403: Rule(Kind.REFUSE, "the stop price is invalid"),
        414: Rule(Kind.REFUSE, "a snapshot cannot be had"),
        416: Rule(Kind.REFUSE, "the size is a fraction and may not be"),
        422: Rule(Kind.REFUSE, "the trailing price is missing"),
        423: Rule(Kind.REFUSE, "the trailing amount is missing"),
        428: Rule(Kind.REFUSE, "the trailing stop needs a percentage or an amount"),
        432: Rule(Kind.REFUSE, "algorithm and order do not go together"),
        434: Rule(Kind.REFUSE, "the order size is zero"),
        463: Rule(Kind.REFUSE, "the order's price is missing or invalid"),
        435: Rule(Kind.REFUSE, "an account must be named", "set IBKR_ACCOUNT"),
        436: Rule(Kind.REFUSE, "an account or an allocation must be named", "set IBKR_ACCOUNT"),
        437: Rule(Kind.REFUSE, "an FA order is not complete"),
        451: Rule(Kind.REFUSE, "value beyond precautions", _PRECAUTIONS),
        460: Rule(Kind.REFUSE, "no permission to trade this"),
        461: Rule(Kind.REFUSE, "the order type is not possible with this contract"),
        10006: Rule(Kind.REFUSE, "the parent order is missing"),
        10020: Rule(Kind.REFUSE, "a display group is missing"),
        10052: Rule(Kind.REFUSE, "an invalid time for a condition"),
        10063: Rule(Kind.REFUSE, "no what-if for this order"),
        10147: Rule(Kind.CANCEL_REFUSED, "the order to cancel was not found"),
        10148: Rule(Kind.CANCEL_REFUSED, "the order cannot be cancelled in its state"),
        10149: Rule(Kind.REFUSE, "the model is unknown"),
        10241: Rule(Kind.REFUSE, "a money amount cannot be ordered here"),
        10242: Rule(Kind.REFUSE, "fractional quantities cannot be modified"),
        10243: Rule(Kind.REFUSE, "fractional quantities cannot be ordered through the API"),
        10244: Rule(Kind.REFUSE, "a money amount cannot be ordered through the API"),
        10245: Rule(Kind.REFUSE, "a money amount cannot be ordered for this type"),
        10246: Rule(Kind.REFUSE, "fractions are refused for this order"),
        10247: Rule(Kind.REFUSE, "fractions are refused for this exchange"),
        10248: Rule(Kind.REFUSE, "fractions are refused for this account"),
        10249: Rule(Kind.REFUSE, "a money amount is refused for this contract"),
        10250: Rule(Kind.REFUSE, "a money amount is refused for this account"),
        10251: Rule(Kind.REFUSE, "a money amount is refused for this exchange"),
        10252: Rule(Kind.REFUSE, "a fractional money amount is refused"),
        10268: Rule(Kind.REFUSE, "the EtradeOnly attribute is not supported"),
        10269: Rule(Kind.REFUSE, "the FirmQuoteOnly attribute is not supported"),
        10270: Rule(Kind.REFUSE, "the NbboPriceCap attribute is not supported"),
        10289: Rule(Kind.REFUSE, "the size must be set in money for this contract"),
        10293: Rule(Kind.REFUSE, "the account may not trade this product"),
        10311: Rule(Kind.REFUSE, "routed directly, and precautions forbid it", _PRECAUTIONS),
        10318: Rule(Kind.REFUSE, "odd lots are refused for this order"),
        10324: Rule(Kind.REFUSE, "the OCA order was not accepted"),
        10325: Rule(Kind.REFUSE, "the OCA order was not accepted"),
        10326: Rule(Kind.REFUSE, "the OCA group cannot be revised"),
        10327: Rule(Kind.REFUSE, "the OCA group's handling cannot be revised"),
        10329: Rule(Kind.REFUSE, "the order's conditions are invalid"),
        # -- the answer to a change or a cancel ---------------------------------------------
        103: Rule(Kind.DUPLICATE_ID, "the order id was used before"),
        104: Rule(Kind.MODIFY_REFUSED, "a filled order cannot be modified"),
        2102: Rule(Kind.MODIFY_REFUSED, "the order is still being processed; the old terms hold"),
        135: Rule(Kind.CANCEL_REFUSED, "no order has that id"),
        136: Rule(Kind.CANCEL_REFUSED, "this order cannot be cancelled"),
        161: Rule(Kind.CANCEL_REFUSED, "the order is not in a state that can be cancelled"),
        202: Rule(Kind.CANCELLED, "the order was cancelled"),
        # -- remarks on an order that goes on ------------------------------------------------
        381: Rule(Kind.WARNING, "size beyond precautions, sent all the same"),
        399: Rule(Kind.WARNING, "the order waits, or was changed on the way"),
        404: Rule(Kind.WARNING, "shares to sell short are being located"),
        481: Rule(Kind.WARNING, "the size was reduced; the order's terms will say to what"),
        492: Rule(Kind.WARNING, "a remark on an algorithm"),
        2109: Rule(Kind.WARNING, "outside-hours was ignored for this type"),
        2113: Rule(Kind.WARNING, "the order is in the pre-market session"),
        2119: Rule(Kind.NOTICE, "a market data farm is connecting"),
        2137: Rule(Kind.WARNING, "the order would cross one of ours"),
        2148: Rule(Kind.WARNING, "the order is close to a price limit"),
        2152: Rule(Kind.DATA_NOTE, "depth needs more permissions"),
        2161: Rule(Kind.WARNING, "the price was capped, so the order may never fill"),
        2168: Rule(Kind.WARNING, "the etrade attribute was ignored"),
        2169: Rule(Kind.WARNING, "the firm quote attribute was ignored"),
        10349: Rule(Kind.WARNING, "the order's lifetime was set by a preset"),
        # -- pacing ---------------------------------------------------------------------------
        100: Rule(Kind.PACING, "too many messages a second"),
        101: Rule(Kind.DATA, "too many market data lines", "close quotes you do not need"),
        10190: Rule(Kind.DATA, "too many tick-by-tick requests"),
        # -- settings -------------------------------------------------------------------------
        321: Rule(Kind.CONFIG, "the request was refused as it stands", _READONLY),
        503: Rule(Kind.CONFIG, "TWS is too old for this request", "update TWS"),
        505: Rule(Kind.CONFIG, "TWS does not know this message", "update TWS"),
        320: Rule(Kind.CONFIG, "TWS could not read a request of ours"),
        326: Rule(Kind.CLIENT_ID, "the client id is in use", _ONE_ID),
        # -- market data ----------------------------------------------------------------------
        162: Rule(Kind.DATA, "no historical data"),
        165: Rule(Kind.DATA_NOTE, "a remark on historical data"),
        166: Rule(Kind.DATA, "no historical data for an expired contract"),
        300: Rule(Kind.DATA_NOTE, "no market data to cancel"),
        309: Rule(Kind.DATA, "too many depth requests"),
        310: Rule(Kind.DATA_NOTE, "no depth to cancel"),
        316: Rule(Kind.DATA, "market depth was halted"),
        317: Rule(Kind.DATA_NOTE, "market depth was reset"),
        322: Rule(Kind.DATA, "the request id is in use, or the request is not possible"),
        354: Rule(Kind.DATA, "not subscribed to this market data", _SUBSCRIBE),
        365: Rule(Kind.DATA_NOTE, "no scanner to cancel"),
        366: Rule(Kind.DATA_NOTE, "no historical request to cancel"),
        385: Rule(Kind.DATA, "no smart depth"),
        420: Rule(Kind.DATA, "real-time bars were refused"),
        430: Rule(Kind.DATA, "no fundamental data"),
        10089: Rule(Kind.DATA, "the data needs a subscription for the API", _SUBSCRIBE),
        10090: Rule(Kind.DATA_NOTE, "part of the data is not subscribed to", _SUBSCRIBE),
        10091: Rule(Kind.DATA_NOTE, "part of the data needs a subscription", _SUBSCRIBE),
        10092: Rule(Kind.DATA, "no deep book"),
        10167: Rule(Kind.DATA_NOTE, "not subscribed: delayed data is shown", _SUBSCRIBE),
        10168: Rule(Kind.DATA, "not subscribed, and delayed data is not enabled", _SUBSCRIBE),
        10182: Rule(Kind.DATA, "the live update request failed"),
        10186: Rule(Kind.DATA, "no delayed data either", _SUBSCRIBE),
        10187: Rule(Kind.DATA, "historical ticks could not be had"),
        10189: Rule(Kind.DATA, "tick-by-tick data could not be had"),
        10197: Rule(
            Kind.DATA, "another live session holds the market data", "log out of the other session"
        ),
        10225: Rule(Kind.DATA, "bars were reset by a busted trade"),
        # -- the link between TWS and IBKR ---------------------------------------------------
        1100: Rule(Kind.LINK_LOST, "TWS has lost its connection to IBKR"),
        2110: Rule(Kind.LINK_LOST, "TWS has lost its connection to its server"),
        1101: Rule(Kind.LINK_RESET, "connected again; market data must be asked for again"),
        1102: Rule(Kind.LINK_BACK, "connected again; market data went on"),
        1300: Rule(Kind.LINK_LOST, "TWS moves to another port", "check TWS's API port"),
        502: Rule(Kind.NOTICE, "the client could not connect"),
        504: Rule(Kind.NOTICE, "the client is not connected"),
        507: Rule(Kind.NOTICE, "bad message length: another client may use this id"),
        2100: Rule(Kind.NOTICE, "account data were cancelled for another subscription"),
        2103: Rule(Kind.NOTICE, "a market data farm is down"),
        2104: Rule(Kind.NOTICE, "a market data farm is up"),
        2105: Rule(Kind.NOTICE, "a historical data farm is down"),
        2106: Rule(Kind.NOTICE, "a historical data farm is up"),
        2107: Rule(Kind.NOTICE, "a historical data farm is idle"),
        2108: Rule(Kind.NOTICE, "a market data farm is idle"),
        2157: Rule(Kind.NOTICE, "the security definition farm is down"),
        2158: Rule(Kind.NOTICE, "the security definition farm is up"),
    }
)

_NOBODY_KNOWS = Rule(Kind.UNKNOWN, "a code that is not in our table; it changes nothing")


def rule_for(code: int) -> Rule:
    """Return what `code` means; one that nobody knows is inert."""
    return ERROR_RULES.get(code, _NOBODY_KNOWS)
