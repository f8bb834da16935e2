"""A strategy in a file: read only if it can be trusted, and with every fault of it in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.adapters.strategy_program import read_program
from ibkr_trader.adapters.trusted_file import mark_of, read_trusted
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.rules.bar_sizes import SLACK, duration_for
from ibkr_trader.rules.market_days import Feed
from ibkr_trader.rules.strategy_text import (
    MOST_TEXT,
    Fault,
    StrategyError,
    line_of_key,
    read_strategy,
)
from ibkr_trader.rules.study import Study

if TYPE_CHECKING:
    from ibkr_trader.rules.rule import Strategy

TOML, PYTHON = ".toml", ".py"
_CHECK = "ibkr-trader strategy check"


class StrategyRefused(ConfigError):
    """A file that is no strategy; `faults` has every reason with its line and key."""

    def __init__(self, message: str, *, faults: tuple[Fault, ...], where: str) -> None:
        super().__init__(message, hint=f"{_CHECK} {where}")
        self.faults = faults


class Loaded(NamedTuple):
    """A strategy with the text that it was made of."""

    strategy: Strategy
    text: str
    suffix: str


class StrategyFile:
    """One file, and whether it has changed since it was looked at last.

    Args:
        path: Where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: object = None

    @property
    def has_changed(self) -> bool:
        """Whether it is not as it was when it was loaded last; a file that is gone has not."""
        mark = mark_of(self.path)
        return mark is not None and mark != self._mark

    @property
    def is_gone(self) -> bool:
        """Whether nothing lies there any more."""
        return mark_of(self.path) is None

    def load(self) -> Loaded:
        """Read the file as it now is.

        Raises:
            ConfigError: If it cannot be read or believed, or is no strategy: with every fault.
        """
        try:
            content = read_trusted(self.path, MOST_TEXT)
        except FileNotFoundError:
            message = f"the strategy file {self.path} does not exist"
            raise ConfigError(message, hint=f"{_CHECK} FILE") from None
        self._mark = content.mark
        if content.why:
            raise ConfigError(f"the strategy file {self.path} {content.why}")
        try:
            text = content.data.decode()
        except UnicodeDecodeError as error:
            message = f"{self.path} is not UTF-8 text (byte {error.start})"
            raise ConfigError(message, hint="save it as UTF-8") from error
        return loaded(text, self.path.suffix, where=str(self.path))


def loaded(text: str, suffix: str, *, where: str) -> Loaded:
    """Return the strategy that a text describes.

    Args:
        text: Of the file.
        suffix: Of its name: it says which language it is.
        where: What to call it in messages.

    Raises:
        ConfigError: With every fault, each with its line and key: `StrategyRefused`.
    """
    if suffix not in {TOML, PYTHON}:
        message = f"{where}: a strategy file ends in {TOML} or {PYTHON}"
        raise ConfigError(message, hint=f"rename it to {Path(where).stem}{TOML}")
    try:
        strategy = read_program(text, where=where) if suffix == PYTHON else read_strategy(text)
        _require_bars(strategy, text)
        return Loaded(strategy, text, suffix)
    except StrategyError as error:
        lines = "; ".join(str(fault) for fault in error.faults)
        raise StrategyRefused(f"{where}: {lines}", faults=error.faults, where=where) from error


def _require_bars(strategy: Strategy, text: str) -> None:
    """Refuse indicators that cannot be made of the strategy's bars, or not to begin with.

    Raises:
        StrategyError: If there is one, such as a first half hour on bars of 20 minutes, or a
            day's average of more bars of five seconds than TWS gives at once.
    """
    try:
        study = Study.of(strategy.indicators, feed=Feed(size=strategy.bar_size))
        if study.warm_up:
            duration_for(study.warm_up + SLACK, strategy.bar_size)
    except ValueError as error:
        fault = Fault(line_of_key(text, "bars"), "bars", str(error))
        raise StrategyError((fault,)) from error
