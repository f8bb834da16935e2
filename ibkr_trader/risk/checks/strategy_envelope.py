"""What a strategy may tie up, hold, lose and send in a day, by its own file: people are not bound.

Its positions and its entries count at their worst, those in flight and of unknown fate included,
so several entries can never pass the envelope together.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.portfolio.strategy_accounts import worst_value
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.envelope_bounds import STRATEGY_ENVELOPE, Bounds
from ibkr_trader.risk.pricing import market_price
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import smaller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.portfolio.strategy_accounts import StrategyAccount, StrategyAccounts
    from ibkr_trader.risk.envelope import Envelope
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = STRATEGY_ENVELOPE


class _Asked(NamedTuple):
    """What a strategy asks for, and how it stands."""

    proposal: Proposal
    view: RiskView
    accounts: StrategyAccounts
    account: StrategyAccount
    envelope: Envelope

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.name, self.envelope)


def _gauge(view: RiskView) -> Iterator[Gauge]:
    accounts = view.strategy_accounts()
    for name, envelope in view.envelopes.items():
        account = accounts.account(name)
        used: tuple[tuple[str, Decimal | int | None, Decimal | int | None, Unit], ...] = (
            ("capital", envelope.capital, account.capital, Unit.MONEY),
            ("positions", envelope.max_positions, len(account.positions), Unit.COUNT),
            ("day's loss", envelope.max_daily_loss, _loss(account), Unit.MONEY),
            ("entries", envelope.max_entries_per_day, account.day.entries, Unit.COUNT),
        )
        for what, limit, now, unit in used:
            if limit is not None:
                yield Gauge(
                    check=_NAME,
                    subject=f"{name} {what}",
                    limit=Decimal(limit),
                    used=None if now is None else Decimal(now),
                    unit=unit,
                )
    if not view.envelopes:
        yield Gauge(check=_NAME, note="no strategy trades")


@check(_NAME, gauge=_gauge)
def strategy_envelope(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny a strategy to open beyond its own capital, positions, day's loss or entries.

    Raises:
        FactMissing: If nobody has told its envelope, or what it has tied up or lost.
    """
    name = strategy_of(proposal.command.origin)
    if not name or not proposal.openings:
        return
    envelope = view.envelopes.get(name)
    if envelope is None:
        message = f"The strategy {name} does not trade here: nobody has said how far it may go."
        raise FactMissing(message, about=_NAME)
    accounts = view.strategy_accounts()
    asked = _Asked(proposal, view, accounts, accounts.account(name), envelope)
    for rule in (_entries, _positions, _lost, _capital):
        if (breach := rule(asked)) is not None:
            yield breach


def _entries(asked: _Asked) -> Breach | None:
    if not asked.proposal.is_new:
        return None
    return asked.bounds.entries(sent=asked.account.day.entries, more=len(asked.proposal.openings))


def _positions(asked: _Asked) -> Breach | None:
    mine = asked.account.positions
    fresh = [label(one) for one in asked.proposal.opened if one.con_id not in mine]
    return asked.bounds.positions(held=len(mine), fresh=fresh)


def _lost(asked: _Asked) -> Breach | None:
    if asked.envelope.max_daily_loss is None:
        return None
    lost = _loss(asked.account)
    if lost is None:
        raise FactMissing(f"The day's result of the strategy {asked.name} is unknown.", about=_NAME)
    return asked.bounds.loss(lost=lost)


def _capital(asked: _Asked) -> Breach | None:
    most = asked.envelope.capital
    if most is None:
        return None
    tied, units = ZERO, ZERO
    after = {contract.con_id: contract for contract in asked.proposal.opened}
    awaited = asked.view.strategies.unheard.values()
    for con_id in asked.account.positions:
        if con_id not in after or con_id in awaited:
            value = asked.accounts.value(con_id)
            if value is None:
                raise FactMissing(_unknown(asked, con_id), about=_NAME)
            tied += value
    for change in asked.proposal.openings:
        contract = after.pop(change.spec.contract.con_id, None)
        if contract is not None:
            price = market_price(asked.view, contract, change.spec.side)
            worst = worst_value(asked.proposal.after[contract.con_id], price)
            tied += worst or ZERO  # with a price it is known
            units = price * contract.multiplier
    breach = asked.bounds.capital(tied=tied, before=asked.account.capital or ZERO)
    if breach is None:
        return None
    hint = smaller(asked.proposal.openings[0].spec, (tied - most) / units)
    return msgspec.structs.replace(breach, hint=hint)


def _unknown(asked: _Asked, con_id: int) -> str:
    name = label(asked.accounts.contract(con_id))
    return f"Nobody knows what {name} may be worth, which belongs to the strategy {asked.name}."


def _loss(account: StrategyAccount) -> Decimal | None:
    """What is lost; a gain is none. None if nobody knows."""
    return None if account.net is None else max(ZERO, -account.net)
