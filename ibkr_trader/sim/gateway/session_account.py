"""The account desk: account values, the portfolio, summaries, and the clock."""

from datetime import datetime, timedelta

from ibkr_trader.sim.account import PositionValue
from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.events import AccountChanged, PositionChanged, SimEvent
from ibkr_trader.sim.gateway import account_replies as tell
from ibkr_trader.sim.gateway import account_requests as ask
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.session_positions import cents
from ibkr_trader.sim.gateway.talk import NO_REQUEST, Talk
from ibkr_trader.sim.statement import AccountValue as SimValue

REFRESH = timedelta(minutes=3)
LEDGER = "$LEDGER"
BASE = "BASE"
_LINE = tuple[str, str]


class AccountDesk(Desk):
    """Subscriptions to account values: changed lines soon after a fill, and every 3 minutes."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._updates: dict[_LINE, str] | None = None
        self._multi: dict[int, tuple[ask.ReqAccountUpdatesMulti, dict[_LINE, str]]] = {}
        self._summaries: dict[int, tuple[str, dict[_LINE, str]]] = {}
        self._is_stale = False
        self._moved: set[int] = set()
        self._due: datetime | None = None
        self.handlers: Handlers = {
            ask.ReqManagedAccounts: self._accounts,
            ask.ReqCurrentTime: self._time,
            ask.ReqCurrentTimeMillis: self._millis,
            ask.ReqUserInfo: self._user_info,
            ask.ReqAccountUpdates: self._req_updates,
            ask.ReqAccountUpdatesMulti: self._req_multi,
            ask.CancelAccountUpdatesMulti: self._cancel_multi,
            ask.ReqAccountSummary: self._req_summary,
            ask.CancelAccountSummary: self._cancel_summary,
            ask.RequestFa: self._fa,
            ask.ReplaceFa: self._replace_fa,
            ask.ReqSoftDollarTiers: self._tiers,
            ask.ReqFamilyCodes: self._family,
        }

    def hear(self, event: SimEvent) -> None:
        """Note that figures moved; `tick` sends them, once for many fills."""
        if isinstance(event, PositionChanged):
            self._moved.add(event.position.con_id)
            self._is_stale = True
        elif isinstance(event, AccountChanged):
            self._is_stale = True

    def tick(self, now: datetime) -> None:
        """Send changed figures if anything traded, or three minutes have passed."""
        if self._due is None:
            self._due = now + REFRESH
        if not self._is_stale and now < self._due:
            return
        everything = now >= self._due
        if everything:
            self._due = now + REFRESH
        self._is_stale = False
        moved, self._moved = self._moved, set()
        values = self._values() if self._has_subscribers() else ()
        if self._updates is not None:
            self._push_updates(values, None if everything else moved)
        for request, known in self._multi.values():
            self._push_multi(values, request, known)
        if everything:
            for req_id, (tags, known) in self._summaries.items():
                self._push_summary(values, req_id, tags=tags, known=known)

    def _has_subscribers(self) -> bool:
        return self._updates is not None or bool(self._multi) or bool(self._summaries)

    def _account(self) -> str:
        return self.talk.floor.exchange.config.account

    def _values(self) -> tuple[SimValue, ...]:
        return self.talk.floor.exchange.account.values()

    def _accounts(self, _: ask.ReqManagedAccounts) -> None:
        self.talk.say(tell.ManagedAccounts(accounts=self._account()))

    def _time(self, _: ask.ReqCurrentTime) -> None:
        self.talk.say(tell.CurrentTime(seconds=int(self.talk.floor.now.timestamp())))

    def _millis(self, _: ask.ReqCurrentTimeMillis) -> None:
        millis = int(self.talk.floor.now.timestamp() * 1000)
        self.talk.say(tell.CurrentTimeMillis(millis=millis))

    def _user_info(self, request: ask.ReqUserInfo) -> None:
        self.talk.say(tell.UserInfo(req_id=request.req_id))

    def _is_ours(self, req_id: int, account: str) -> bool:
        if account in ("", "All", self._account()):
            return True
        self.talk.invalid(req_id, f"Invalid account code '{account}'.")
        return False

    def _req_updates(self, request: ask.ReqAccountUpdates) -> None:
        if not request.subscribe:
            self._updates = None
            return
        if not self._is_ours(NO_REQUEST, request.account):
            return
        self._updates = {}
        self._push_updates(self._values(), None)
        self.talk.say(tell.AccountDownloadEnd(account=self._account()))

    def _push_updates(self, values: tuple[SimValue, ...], moved: set[int] | None) -> None:
        known = self._updates if self._updates is not None else {}
        for value in _changed(values, known):
            self.talk.say(
                tell.AccountValue(
                    key=value.tag,
                    value=value.value,
                    currency=value.currency,
                    account=self._account(),
                )
            )
        for held in self.talk.floor.exchange.account.portfolio():
            if moved is None or held.position.con_id in moved:
                self.talk.say(self._portfolio_value(held))
        clock = f"{self.talk.floor.now.astimezone(NEW_YORK):%H:%M}"
        self.talk.say(tell.AccountUpdateTime(clock=clock))

    def _portfolio_value(self, held: PositionValue) -> tell.PortfolioValue:
        return tell.PortfolioValue(
            contract=self.talk.floor.contract(held.position.con_id),
            position=held.position.quantity,
            market_price=held.market_price,
            market_value=cents(held.market_value),
            average_cost=held.position.average_cost,
            unrealized_pnl=cents(held.unrealized_pnl),
            realized_pnl=cents(held.realized_pnl),
            account=self._account(),
        )

    def _req_multi(self, request: ask.ReqAccountUpdatesMulti) -> None:
        if not self._is_ours(request.req_id, request.account):
            return
        known: dict[_LINE, str] = {}
        self._multi[request.req_id] = (request, known)
        self._push_multi(self._values(), request, known)
        self.talk.say(tell.AccountUpdateMultiEnd(req_id=request.req_id))

    def _push_multi(
        self,
        values: tuple[SimValue, ...],
        request: ask.ReqAccountUpdatesMulti,
        known: dict[_LINE, str],
    ) -> None:
        wanted = tuple(v for v in values if not request.ledger_only or _is_ledger_or_net(v))
        for value in _changed(wanted, known):
            self.talk.say(
                tell.AccountUpdateMulti(
                    req_id=request.req_id,
                    account=self._account(),
                    model_code=request.model_code,
                    key=value.tag,
                    value=value.value,
                    currency=value.currency,
                )
            )

    def _cancel_multi(self, request: ask.CancelAccountUpdatesMulti) -> None:
        self._multi.pop(request.req_id, None)

    def _req_summary(self, request: ask.ReqAccountSummary) -> None:
        if not self._is_ours(request.req_id, request.group):
            return
        known: dict[_LINE, str] = {}
        self._summaries[request.req_id] = (request.tags, known)
        self._push_summary(self._values(), request.req_id, tags=request.tags, known=known)
        self.talk.say(tell.AccountSummaryEnd(req_id=request.req_id))

    def _push_summary(
        self, values: tuple[SimValue, ...], req_id: int, *, tags: str, known: dict[_LINE, str]
    ) -> None:
        wanted = frozenset(tag.strip() for tag in tags.split(","))
        chosen = tuple(value for value in values if _is_wanted(value, wanted))
        for value in _changed(chosen, known):
            self.talk.say(
                tell.AccountSummary(
                    req_id=req_id,
                    account=self._account(),
                    tag=value.tag,
                    value=value.value,
                    currency=value.currency,
                )
            )

    def _cancel_summary(self, request: ask.CancelAccountSummary) -> None:
        self._summaries.pop(request.req_id, None)

    def _fa(self, _: ask.RequestFa) -> None:
        self.talk.invalid(NO_REQUEST, "FA data operations ignored for non FA customers.")

    def _replace_fa(self, request: ask.ReplaceFa) -> None:
        self.talk.invalid(request.req_id, "FA data operations ignored for non FA customers.")

    def _tiers(self, request: ask.ReqSoftDollarTiers) -> None:
        self.talk.say(tell.SoftDollarTiers(req_id=request.req_id))

    def _family(self, _: ask.ReqFamilyCodes) -> None:
        self.talk.say(tell.FamilyCodes(codes=((self._account(), ""),)))


def _is_ledger(value: SimValue) -> bool:
    return value.tag in LEDGER_TAGS and bool(value.currency)


def _is_ledger_or_net(value: SimValue) -> bool:
    return _is_ledger(value) or value.tag == "NetLiquidation"


def _is_wanted(value: SimValue, tags: frozenset[str]) -> bool:
    if _is_ledger(value):
        ledgers = {tag for tag in tags if tag.startswith(LEDGER)}
        return (
            f"{LEDGER}:ALL" in ledgers
            or f"{LEDGER}:{value.currency}" in ledgers
            or (LEDGER in ledgers and value.currency == BASE)
        )
    return value.tag in tags


def _changed(values: tuple[SimValue, ...], known: dict[_LINE, str]) -> list[SimValue]:
    fresh = [v for v in values if known.get((v.tag, v.currency)) != v.value]
    known.update({(v.tag, v.currency): v.value for v in fresh})
    return fresh


LEDGER_TAGS = frozenset(
    {
        "AccruedCash", "AccruedDividend", "CashBalance", "Currency", "CorporateBondValue",
        "ExchangeRate", "FundValue", "FutureOptionValue", "FuturesPNL", "FxCashBalance",
        "IssuerOptionValue", "MoneyMarketFundValue", "MutualFundValue", "NetDividend",
        "NetLiquidationByCurrency", "OptionMarketValue", "RealCurrency", "RealizedPnL",
        "StockMarketValue", "TBillValue", "TBondValue", "TotalCashBalance", "UnrealizedPnL",
        "WarrantValue",
    }
)  # fmt: skip
