"""The position desk: positions, the portfolio, and profit and loss."""

from datetime import datetime, timedelta
from decimal import Decimal

from ibkr_trader.sim.account import PositionRecord, PositionValue
from ibkr_trader.sim.events import PositionChanged, SimEvent
from ibkr_trader.sim.gateway import account_requests as ask
from ibkr_trader.sim.gateway.account_replies import (
    Pnl,
    PnlSingle,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    PositionReply,
)
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.talk import Talk

PNL_EVERY = timedelta(seconds=1)
CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Round money to cents, as TWS sends it."""
    return amount.quantize(CENT)


class PositionDesk(Desk):
    """Subscriptions to positions and to profit, pushed after fills and once a second."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self._subscribed = False
        self._multi: dict[int, str] = {}
        self._pnl: dict[int, Pnl | None] = {}
        self._single: dict[int, tuple[int, PnlSingle | None]] = {}
        self._pnl_due: datetime | None = None
        self.handlers: Handlers = {
            ask.ReqPositions: self._positions,
            ask.CancelPositions: self._cancel_positions,
            ask.ReqPositionsMulti: self._positions_multi,
            ask.CancelPositionsMulti: self._cancel_multi,
            ask.ReqPnl: self._req_pnl,
            ask.CancelPnl: self._cancel_pnl,
            ask.ReqPnlSingle: self._req_single,
            ask.CancelPnlSingle: self._cancel_single,
        }

    def hear(self, event: SimEvent) -> None:
        """Pass a changed position on to whoever subscribed."""
        if not isinstance(event, PositionChanged):
            return
        if self._subscribed:
            self.talk.say(self._reply(event.position))
        for req_id, model in self._multi.items():
            self.talk.say(self._reply_multi(event.position, req_id, model))

    def tick(self, now: datetime) -> None:
        """Send profit that changed, at most once a second."""
        if not self._pnl and not self._single:
            return
        if self._pnl_due is not None and now < self._pnl_due:
            return
        self._pnl_due = now + PNL_EVERY
        for req_id in self._pnl:
            self._tell_pnl(req_id)
        for req_id in self._single:
            self._tell_single(req_id)

    def _account(self) -> str:
        return self.talk.floor.exchange.config.account

    def _held(self) -> list[PositionRecord]:
        positions = self.talk.floor.exchange.account.positions
        return [record for record in positions.values() if record.quantity]

    def _reply(self, record: PositionRecord) -> PositionReply:
        return PositionReply(
            account=self._account(),
            contract=self.talk.floor.contract(record.con_id),
            position=record.quantity,
            avg_cost=record.average_cost,
        )

    def _reply_multi(self, record: PositionRecord, req_id: int, model: str) -> PositionMulti:
        return PositionMulti(
            req_id=req_id,
            account=self._account(),
            contract=self.talk.floor.contract(record.con_id),
            position=record.quantity,
            avg_cost=record.average_cost,
            model_code=model,
        )

    def _positions(self, _: ask.ReqPositions) -> None:
        self._subscribed = True
        for record in self._held():
            self.talk.say(self._reply(record))
        self.talk.say(PositionEnd())

    def _cancel_positions(self, _: ask.CancelPositions) -> None:
        self._subscribed = False

    def _positions_multi(self, request: ask.ReqPositionsMulti) -> None:
        if not self._is_ours(request.req_id, request.account):
            return
        self._multi[request.req_id] = request.model_code
        for record in self._held():
            self.talk.say(self._reply_multi(record, request.req_id, request.model_code))
        self.talk.say(PositionMultiEnd(req_id=request.req_id))

    def _cancel_multi(self, request: ask.CancelPositionsMulti) -> None:
        self._multi.pop(request.req_id, None)

    def _is_ours(self, req_id: int, account: str) -> bool:
        if account in ("", "All", self._account()):
            return True
        self.talk.invalid(req_id, f"Invalid account code '{account}'.")
        return False

    def _req_pnl(self, request: ask.ReqPnl) -> None:
        if self._is_ours(request.req_id, request.account):
            self._pnl[request.req_id] = None
            self._tell_pnl(request.req_id)

    def _cancel_pnl(self, request: ask.CancelPnl) -> None:
        self._pnl.pop(request.req_id, None)

    def _req_single(self, request: ask.ReqPnlSingle) -> None:
        if not self._is_ours(request.req_id, request.account):
            return
        self._single[request.req_id] = (request.con_id, None)
        self._tell_single(request.req_id)

    def _cancel_single(self, request: ask.CancelPnlSingle) -> None:
        self._single.pop(request.req_id, None)

    def _tell_pnl(self, req_id: int) -> None:
        pnl = self.talk.floor.exchange.account.pnl()
        reply = Pnl(
            req_id=req_id,
            daily=cents(pnl.daily),
            unrealized=cents(pnl.unrealized),
            realized=cents(pnl.realized),
        )
        if self._pnl[req_id] != reply:
            self._pnl[req_id] = reply
            self.talk.say(reply)

    def _tell_single(self, req_id: int) -> None:
        con_id, last = self._single[req_id]
        held = self._value(con_id)
        if held is None:
            zero = Decimal(0)
            reply = PnlSingle(
                req_id=req_id, position=zero, daily=zero, unrealized=zero, realized=zero, value=zero
            )
        else:
            reply = PnlSingle(
                req_id=req_id,
                position=held.position.quantity,
                daily=cents(held.daily_pnl),
                unrealized=cents(held.unrealized_pnl),
                realized=cents(held.realized_pnl),
                value=cents(held.market_value),
            )
        if reply != last:
            self._single[req_id] = (con_id, reply)
            self.talk.say(reply)

    def _value(self, con_id: int) -> PositionValue | None:
        portfolio = self.talk.floor.exchange.account.portfolio()
        return next((held for held in portfolio if held.position.con_id == con_id), None)
