"""From what a person types to a contract: tickers, OCC option symbols, expiries, strikes.

Pure data comes out, not yet resolved (`con_id` is 0): only the broker can say that a
contract exists. What cannot be read is a `ValueError` that says what was expected.

OCC symbols are `AAPL  240119C00150000` (root padded to six, date, right, strike in
thousandths) or the same without blanks.
"""

from __future__ import annotations

import re
from calendar import FRIDAY, monthrange
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation

from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import Contract
from ibkr_trader.core.text import quantity, quoted

_STOCK = re.compile(r"[A-Z][A-Z0-9. ]{0,11}")
_OCC = re.compile(r"([A-Z][A-Z0-9]{0,5})( *)([0-9]{6})([CP])([0-9]{8})")
_ROOT_WIDTH = 6
_DATE_WIDTH = 8  # YYYYMMDD
_STRIKE_STEP = Decimal("0.001")
_STRIKE_LIMIT = Decimal(100_000)  # five digits before the point
_RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}
_SHARES = Decimal(100)


def contract_of(text: str) -> Contract:
    """Return the stock or the option that `text` names.

    Raises:
        ValueError: If it is neither a ticker nor an OCC option symbol.
    """
    cleaned = text.strip().upper()
    if _OCC.fullmatch(cleaned) is not None:
        return parse_occ(cleaned)
    if re.search(r"[0-9]{6,}[CP]?[0-9]*$", cleaned):
        raise ValueError(_not_occ(text))
    return Contract(symbol=stock_symbol(cleaned))


def stock_symbol(text: str) -> str:
    """Return a ticker as IBKR writes it: upper case, classes behind a blank (`BRK B`).

    Raises:
        ValueError: If it is no ticker.
    """
    cleaned = text.strip().upper()
    if _STOCK.fullmatch(cleaned) is None or cleaned.endswith(".") or ".." in cleaned:
        raise ValueError(
            f"{quoted(text)} is not a ticker: want a letter, then up to 11 letters or digits, "
            "as in AAPL or BRK.B"
        )
    return " ".join(cleaned.replace(".", " ").split())


def option(
    symbol: str, *, expiry: str, strike: str | Decimal, right: str, currency: str = "USD"
) -> Contract:
    """Return an option contract on `symbol`, of 100 shares.

    Raises:
        ValueError: If a part cannot be read; the message names the part.
    """
    root = stock_symbol(symbol)
    return Contract(
        symbol=root,
        sec_type=SecType.OPTION,
        currency=currency,
        expiry=normalize_expiry(expiry),
        strike=parse_strike(strike),
        right=parse_right(right),
        multiplier=_SHARES,
        trading_class=root.replace(" ", ""),
    )


def parse_occ(text: str) -> Contract:
    """Return the option that an OCC symbol names, padded or compact.

    Raises:
        ValueError: If it is no OCC symbol, or its date or strike does not exist.
    """
    match = _OCC.fullmatch(text.strip().upper())
    if match is None:
        raise ValueError(_not_occ(text))
    root, padding, day, right, thousandths = match.groups()
    if padding and len(root + padding) != _ROOT_WIDTH:
        raise ValueError(f"{text!r} is not an OCC symbol: the root is padded to six characters")
    contract = option(
        root, expiry=_of_year_2000(day), strike=Decimal(int(thousandths)) / 1000, right=right
    )
    return Contract(
        symbol=contract.symbol,
        sec_type=contract.sec_type,
        currency=contract.currency,
        expiry=contract.expiry,
        strike=contract.strike,
        right=contract.right,
        multiplier=contract.multiplier,
        trading_class=root,
        local_symbol=format_occ(contract),
    )


def format_occ(contract: Contract, *, compact: bool = False) -> str:
    """Return the OCC symbol of an option: padded, as IBKR's local symbol, or compact.

    Raises:
        ValueError: If the contract is no option, or does not fit the format.
    """
    if contract.sec_type is not SecType.OPTION or contract.strike is None:
        raise ValueError(f"{contract.symbol} is not an option, so it has no OCC symbol")
    root = contract.trading_class or contract.symbol.replace(" ", "")
    if len(root) > _ROOT_WIDTH:
        raise ValueError(f"the root {root!r} is longer than the six characters of OCC symbols")
    day = normalize_expiry(contract.expiry)[2:]
    thousandths = int(parse_strike(contract.strike) * 1000)
    padded = root if compact else f"{root:<{_ROOT_WIDTH}}"
    return f"{padded}{day}{parse_right(contract.right)}{thousandths:08d}"


def label(contract: Contract) -> str:
    """Return what people call a contract: `AAPL`, `AAPL 2024-01-19 150 C`, `EUR.USD`."""
    match contract.sec_type:
        case SecType.OPTION if contract.strike is not None:
            day = contract.expiry
            written = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == _DATE_WIDTH else day
            return f"{contract.symbol} {written} {quantity(contract.strike)} {contract.right}"
        case SecType.FUTURE:
            return contract.local_symbol.strip() or f"{contract.symbol} {contract.expiry}".strip()
        case SecType.CASH:
            return f"{contract.symbol}.{contract.currency}"
        case _:
            return contract.symbol


def ticker(contract: Contract) -> str:
    """Return what to type for a contract, as one word: `BRK.B`, `AAPL240119C00150000`."""
    if contract.sec_type is SecType.OPTION:
        with suppress(ValueError):  # half an option is named like its underlying
            return format_occ(contract, compact=True)
    return contract.symbol.replace(" ", ".")


def is_named(contract: Contract, text: str) -> bool:
    """Whether `text` means the contract: its option symbol or its ticker; `""` means any.

    A ticker also means the options on it.

    Raises:
        ValueError: If `text` is neither empty nor a symbol.
    """
    if not text:
        return True
    wanted = contract_of(text)
    if wanted.sec_type is not SecType.OPTION:
        return contract.symbol.replace(".", " ") == wanted.symbol
    terms = ("symbol", "sec_type", "expiry", "strike", "right")
    return all(getattr(contract, term) == getattr(wanted, term) for term in terms)


def normalize_expiry(text: str) -> str:
    """Return an expiry as YYYYMMDD.

    Reads YYYYMMDD, YYYY-MM-DD, YYMMDD and YYYYMM. The last is a monthly expiry: the third
    Friday. Six digits that begin with 20 are a month, since options of 2020 have expired.

    Raises:
        ValueError: If it is none of them, or the day does not exist.
    """
    cleaned = text.strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cleaned, re.ASCII):
        cleaned = cleaned.replace("-", "")
    if re.fullmatch(r"[0-9]{6}", cleaned, re.ASCII):
        cleaned = _monthly(cleaned) if cleaned.startswith("20") else _of_year_2000(cleaned)
    if not re.fullmatch(r"[0-9]{8}", cleaned, re.ASCII):
        raise ValueError(
            f"{text!r} is not an expiry: want YYYYMMDD, YYYY-MM-DD, YYMMDD or YYYYMM (monthly)"
        )
    try:
        return f"{date(int(cleaned[:4]), int(cleaned[4:6]), int(cleaned[6:])):%Y%m%d}"
    except ValueError:
        raise ValueError(f"there is no such day as {text!r}") from None


def parse_strike(value: str | Decimal) -> Decimal:
    """Return a strike price.

    Raises:
        ValueError: If it is not a positive number below 100,000 in thousandths.
    """
    try:
        strike = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a strike price") from None
    if not strike.is_finite() or not 0 < strike < _STRIKE_LIMIT:
        raise ValueError(f"a strike is more than 0 and less than 100,000, not {value}")
    if strike % _STRIKE_STEP:
        raise ValueError(f"a strike has at most three decimals, not {value}")
    return strike


def parse_right(text: str) -> str:
    """Return C for a call, P for a put.

    Raises:
        ValueError: If it is neither.
    """
    right = _RIGHTS.get(text.strip().upper())
    if right is None:
        raise ValueError(f"{text!r} is neither a call (C) nor a put (P)")
    return right


def _of_year_2000(day: str) -> str:
    return f"20{day}"


def _monthly(month: str) -> str:
    year, number = int(month[:4]), int(month[4:])
    if not 1 <= number <= 12:  # noqa: PLR2004 - months
        raise ValueError(f"there is no such month as {month!r}")
    first_weekday, _ = monthrange(year, number)
    third_friday = 1 + (FRIDAY - first_weekday) % 7 + 14
    return f"{month}{third_friday:02d}"


def _not_occ(text: str) -> str:
    return (
        f"{quoted(text)} is not an OCC option symbol: want root, YYMMDD, C or P, and the strike in "
        "thousandths (8 digits), as in AAPL240119C00150000"
    )
