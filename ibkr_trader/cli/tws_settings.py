"""What a refusal of TWS's says about its settings, and where a person changes them.

TWS and IB Gateway have the same menus but for the first word; IBC sets most of it by a key of its
`config.ini`. Nothing here advises to bypass the precautions: they are the last wall, after ours.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

API_SETTINGS = "TWS: Global Configuration > API > Settings"
API_PRECAUTIONS = "TWS: Global Configuration > API > Precautions"
PRESETS = "TWS: Global Configuration > Presets > Stocks > Precautionary Settings"
_PERMISSIONS = "Client Portal: Settings > Trading Permissions"


class Setting(NamedTuple):
    """One setting of TWS's that can refuse orders: its finding's name, what it is, where it is."""

    name: str
    what: str
    fix: str


READ_ONLY = Setting(
    "read-only API",
    "the API may only look: every order is refused",
    f'untick "Read-Only API" ({API_SETTINGS}; IBC: ReadOnlyApi=no)',
)
OVERFILL = Setting(
    "overfill precaution",
    "OCA groups without overfill protection are held back",
    f'tick "Bypass No Overfill Protection precaution" ({API_PRECAUTIONS}; '
    "IBC: BypassNoOverfillProtectionPrecaution=yes)",
)
_SIZE = Setting(
    "size precaution",
    "TWS's size limit is below ours",
    f"{PRESETS}: Size Limit: raise it to ours, or lower ours ([risk] max_order_quantity)",
)
_VALUE = Setting(
    "value precaution",
    "TWS's total value limit is below ours",
    f"{PRESETS}: Total Value Limit: raise it to ours, or lower ours ([risk] max_order_exposure)",
)
_PRICE = Setting(
    "price precaution",
    "TWS's percentage is narrower than our collar",
    f"{PRESETS}: Percentage: raise it to ours, or lower ours ([risk] order_collar)",
)
_ALGO = Setting(
    "routing precaution",
    "TWS holds back orders that are routed directly",
    f'tick "Bypass Redirect Order warning for Stock API Orders" ({API_PRECAUTIONS}; '
    "IBC: BypassRedirectOrderWarning=yes)",
)
_TIF = Setting(
    "order presets",
    "a preset of TWS's changes how long orders live",
    "TWS: Global Configuration > Presets > Stocks > Timing: leave the time in force alone",
)
_PERMISSION = Setting("trading permission", "the account may not trade this", _PERMISSIONS)

SETTINGS: Mapping[int, Setting] = MappingProxyType(
    {
        109: _PRICE,
        163: _PRICE,
        382: _PRICE,
        383: _SIZE,
        451: _VALUE,
        10311: _ALGO,
        10349: _TIF,
        203: _PERMISSION,
        460: _PERMISSION,
        10293: _PERMISSION,
        201: Setting(
            "order size", "the account cannot carry an order at our limits", "ibkr-trader limits"
        ),
        110: Setting(
            "price steps", "the broker's price steps are not those it stated", "report this"
        ),
    }
)
_UNKNOWN = Setting(
    "order probe", "the broker refuses an order within our limits", "look the code up at IBKR"
)
_REFUSED = 321


def setting_of(code: int, reason: str) -> Setting:
    """Return which setting a refusal speaks of; a word of it says more than a shared code."""
    words = reason.lower()
    if "read-only" in words or code == _REFUSED:
        return READ_ONLY
    if "overfill" in words:
        return OVERFILL
    return SETTINGS.get(code, _UNKNOWN)
