"""What a strategy may tie up, hold, lose and send in a day, by its own file: people are not bound.

Its positions and its entries count at their worst, those in flight and of unknown fate included,
so several entries can never pass the envelope together.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.origins import strategy_of
from ibkr_trader.core.text import money
from ibkr_trader.portfolio.strategy_accounts import worst_value
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.pricing import market_price
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import number, smaller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.portfolio.strategy_accounts import StrategyAccount, StrategyAccounts
    from ibkr_trader.risk.envelope import Envelope
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "strategy_envelope"


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
    yield from _entries(asked)
    yield from _positions(asked)
    yield from _lost(asked)
    yield from _capital(asked)


def _entries(asked: _Asked) -> Iterator[Breach]:
    most, sent = asked.envelope.max_entries_per_day, asked.account.day.entries
    if most is None or not asked.proposal.is_new:
        return
    count = sent + len(asked.proposal.openings)
    if count > most:
        yield Breach(
            check=_NAME,
            message=f"It would be entry {count} of the strategy {asked.name} today; "
            f"its limit is {most}.",
            limit=str(most),
            actual=str(count),
            headroom=str(max(0, most - sent)),
            hint="the count begins anew at midnight in New York",
        )


def _positions(asked: _Asked) -> Iterator[Breach]:
    most, mine = asked.envelope.max_positions, asked.account.positions
    fresh = [one for one in asked.proposal.opened if one.con_id not in mine]
    if most is not None and fresh and len(mine) + len(fresh) > most:
        names = ", ".join(label(contract) for contract in fresh)
        yield Breach(
            check=_NAME,
            message=f"{names} would make {len(mine) + len(fresh)} positions of the strategy "
            f"{asked.name}, those on their way included; its limit is {most}.",
            limit=str(most),
            actual=str(len(mine) + len(fresh)),
            headroom=str(max(0, most - len(mine))),
            hint="it opens no other until one of them is over",
        )


def _lost(asked: _Asked) -> Iterator[Breach]:
    most = asked.envelope.max_daily_loss
    if most is None:
        return
    lost = _loss(asked.account)
    if lost is None:
        raise FactMissing(f"The day's result of the strategy {asked.name} is unknown.", about=_NAME)
    if lost >= most:
        yield Breach(
            check=_NAME,
            message=f"The strategy {asked.name} has lost {money(lost)} today, open losses and "
            f"costs included; at {money(most)} it opens nothing more.",
            limit=number(most),
            actual=number(lost),
            headroom="0",
            hint="the day begins anew at midnight in New York",
        )


def _capital(asked: _Asked) -> Iterator[Breach]:
    most = asked.envelope.capital
    if most is None:
        return
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
    if tied > most:
        yield Breach(
            check=_NAME,
            message=f"The strategy {asked.name} would have {money(tied)} tied up, its entries at "
            f"their worst; its capital is {money(most)}.",
            limit=number(most),
            actual=number(tied),
            headroom=number(max(ZERO, most - (asked.account.capital or ZERO))),
            hint=smaller(asked.proposal.openings[0].spec, (tied - most) / units),
        )


def _unknown(asked: _Asked, con_id: int) -> str:
    name = label(asked.accounts.contract(con_id))
    return f"Nobody knows what {name} may be worth, which belongs to the strategy {asked.name}."


def _loss(account: StrategyAccount) -> Decimal | None:
    """What is lost; a gain is none. None if nobody knows."""
    return None if account.net is None else max(ZERO, -account.net)
