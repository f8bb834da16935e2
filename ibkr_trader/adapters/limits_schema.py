"""The JSON schema of a limits file, made from what the reader takes: for editors, and to read.

    python -m ibkr_trader.adapters.limits_schema > docs/schemas/symbol_limits.schema.json

The reader knows more than a schema can say: that nothing stands twice, that a number is
written in full, and what is looser than the global limit.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ibkr_trader.adapters.limits_reader import (
    DEFAULTS,
    LONGEST_SYMBOL,
    SCHEMA,
    SYMBOL,
    SYMBOLS,
)
from ibkr_trader.risk.limits import LIMIT_KEYS

_BEYOND = 10**12  # twelve digits before the point
_AMOUNT = r"^(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,8})?$"
_SHARES = r"^(?=[0-9]*[1-9])[0-9]{1,12}(\.0{1,8})?$"
_MEANINGS = {
    "max_position_size": "Shares of the symbol, should every working order fill.",
    "max_order_exposure": "Value of one opening order, in the account's currency.",
    "max_daily_loss": "What the symbol may lose in a day, commissions included.",
    "max_correlation_exposure": "Net value of the symbol and all that moves with it.",
}


def schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "symbol_limits.json of ibkr-trader",
        "description": (
            "Limits of single symbols, and of every symbol without its own. "
            "They can only tighten the global limits of config.toml."
        ),
        "type": "object",
        "additionalProperties": False,
        "properties": {
            SCHEMA: {"type": "string"},
            SYMBOLS: {
                "type": "object",
                "propertyNames": {"pattern": f"^{SYMBOL}$", "maxLength": LONGEST_SYMBOL},
                "additionalProperties": {"$ref": "#/$defs/limits"},
            },
            DEFAULTS: {"$ref": "#/$defs/limits"},
        },
        "$defs": {
            "limits": {
                "type": "object",
                "additionalProperties": False,
                "properties": {key: _limit(key) for key in LIMIT_KEYS},
            },
        },
    }


def text() -> str:
    """Return the schema as its file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def _limit(key: str) -> dict[str, Any]:
    is_shares = key == "max_position_size"
    kinds: list[dict[str, Any]] = [
        {
            "type": "integer" if is_shares else "number",
            "exclusiveMinimum": 0,
            "exclusiveMaximum": _BEYOND,
        },
        {"type": "string", "pattern": _SHARES if is_shares else _AMOUNT},
    ]
    if key == "max_correlation_exposure":
        kinds.append({"type": "null"})
    return {"description": _MEANINGS[key], "anyOf": kinds}


if __name__ == "__main__":
    sys.stdout.write(text())
