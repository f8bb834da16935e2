"""Carries out the acts that come through the door, and says what came of each."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import assert_never

import msgspec

from ibkr_trader.core.text import moment, price
from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.door import NotThere, Refused
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.floor_rules import fits
from ibkr_trader.sim.gateway import acts, answers
from ibkr_trader.sim.gateway.acts import Answer, CannotDo
from ibkr_trader.sim.gateway.chaos import Chaos
from ibkr_trader.sim.gateway.planning import plan, run
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.gateway.session_doing import do_to_sessions
from ibkr_trader.sim.gateway.socket_doing import do_to_sockets
from ibkr_trader.sim.gateway.triggers import Halted, Moment
from ibkr_trader.sim.gateway.tws_doing import do_at_tws
from ibkr_trader.sim.gateway.wire import WireEntry, WireFile
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.orders import OrderTerms, SimOrder
from ibkr_trader.sim.universe import ContractQuery

logger = logging.getLogger(__name__)
WIRE_FILE = "wire.jsonl"
FARTHEST = timedelta(days=31)
_HUNDRED = Decimal(100)
replace = msgspec.structs.replace
_FASTEST = 10_000  # times the wall's pace: more than a trading day in three seconds


class Doer:
    """Does acts to one gateway, whose folder takes the wire log; without one it keeps none."""

    def __init__(self, server: GatewayServer, folder: Path | None = None) -> None:
        self._server = server
        self._exchange = server.engine.floor.exchange
        self._folder = folder
        self._wire: WireFile | None = None
        server.engine.floor.wiring.agenda.do = self._do_planned

    def __call__(self, act: acts.Act) -> Answer:
        """Carry out an act.

        Raises:
            CannotDo: With the reason.
        """
        try:
            return self._carry_out(act)
        except NotThere as error:
            raise CannotDo(str(error), "ibkr-trader gateway inject look") from error
        except Refused as error:
            raise CannotDo(f"TWS refuses: {error}") from error
        except ValueError as error:
            raise CannotDo(str(error)) from error

    def _carry_out(self, act: acts.Act) -> Answer:
        if isinstance(act, acts.Sockets):
            return do_to_sockets(self._server, act)
        if isinstance(act, acts.Session):
            return do_to_sessions(self._server, act)
        return self._do(act)

    def _do(
        self, act: acts.Market | acts.Hand | acts.Exchange | acts.Gateway | acts.Arranged
    ) -> Answer:
        match act:
            case acts.Advance() | acts.Speed():
                return self._do_to_time(act)
            case acts.HandOrder() | acts.HandClose() | acts.HandModify() | acts.HandCancel():
                return self._do_by_hand(act)
            case acts.Liquidate():
                return self._liquidate(act)
            case acts.Arm() | acts.Lift() | acts.Wire() | acts.Look():
                return self._do_to_gateway(act)
            case acts.Plan() | acts.Script() | acts.Chaos():
                return self._arrange(act)
            case acts.Correct() | acts.Bust() | acts.Trade() | acts.Take() | acts.SlowOca():
                return self._do_at_broker(act)
            case acts.Precaution() | acts.Brackets() | acts.Sleep() | acts.Double() | acts.Band():
                return do_at_tws(self._server, act, find=self._order)
            case _:
                return self._do_to_market(act)

    def close(self) -> None:
        """End the wire log, if there is one."""
        self._server.engine.floor.wiring.tap = None
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    # -- markets --------------------------------------------------------------------------------

    def _do_to_market(
        self,
        act: acts.SetPrice | acts.Gap | acts.Halt | acts.Split | acts.Cap | acts.Locate,
    ) -> Answer:
        found = self._instrument(act.symbol)
        con_id, symbol = found.con_id, found.symbol
        floor, broker = self._exchange.floor_acts, self._exchange.broker_acts
        match act:
            case acts.SetPrice(price=wanted):
                self._act(lambda _, now: floor.gap(con_id, price=wanted, now=now))
                return answers.market(self._exchange, found, "stands at")
            case acts.Gap(percent=percent):
                mark = self._exchange.market.tape(con_id).mark
                if mark is None or percent <= -_HUNDRED:
                    raise CannotDo(f"{symbol} cannot move by {percent} %")
                to = mark * (1 + percent / _HUNDRED)
                self._act(lambda _, now: floor.gap(con_id, price=to, now=now))
                return answers.market(self._exchange, found, f"gapped {percent:+f} % to")
            case acts.Halt():
                return self._halt(act, found)
            case acts.Split(new=new, old=old):
                self._act(lambda _, now: floor.split(con_id, new=new, old=old, now=now))
                return answers.market(self._exchange, found, f"was split {new} for {old}, at")
            case acts.Cap(buy=buy, sell=sell):
                self._act(lambda _, now: floor.cap(con_id, buy=buy, sell=sell, now=now))
                return Answer(
                    text=f"{symbol}: buys up to {price(buy)}, sales from {price(sell)}",
                    data={"symbol": symbol, "buy": buy, "sell": sell},
                )
            case acts.Locate(seconds=seconds):
                self._act(lambda _, now: broker.locate(con_id, seconds=seconds, now=now))
                if seconds == 0:
                    self._act(lambda _, now: broker.find_shares(con_id, now=now))
                wait = "are never found" if seconds is None else f"are found in {seconds} s"
                return Answer(
                    text=f"shares of {symbol} {wait}", data={"symbol": symbol, "seconds": seconds}
                )
            case _:
                assert_never(act)

    def _halt(self, act: acts.Halt, found: Instrument) -> Answer:
        floor, halted = self._exchange.floor_acts, act.halted
        self._act(lambda _, now: floor.halt(found.con_id, halted=halted, now=now))
        if act.seconds is not None:
            later = acts.Halt(symbol=found.symbol, halted=not halted)
            plan(self._server, acts.Plan(trigger=Moment(after=act.seconds), act=later))
        return Answer(
            text=f"{found.symbol} is {'halted' if halted else 'trading again'}",
            data={"symbol": found.symbol, "halted": halted},
        )

    def _do_to_time(self, act: acts.Advance | acts.Speed) -> Answer:
        engine = self._server.engine
        if isinstance(act, acts.Speed):
            if act.times < 0:
                raise CannotDo("time does not run backwards")
            if act.times > _FASTEST:  # the calendar has an end
                raise CannotDo(f"time runs {_FASTEST} times as fast at most")
            engine.clock.resume(act.times) if act.times else engine.clock.pause()
            pace = (
                f"runs {act.times:g} times as fast as the wall's" if act.times else "stands still"
            )
            return Answer(text=f"the exchange's clock {pace}", data={"speed": act.times})
        now = engine.clock.now()
        to = _goal(act, now)
        if to < now or to - now > FARTHEST:
            raise CannotDo("time goes forward only, and at most a month at once")
        engine.clock.advance_to(to)
        self._server.pulse()
        at = engine.clock.now()
        return Answer(text=f"it is {moment(at, NEW_YORK)} at the exchange", data={"time": at})

    # -- the human at TWS -----------------------------------------------------------------------

    def _do_by_hand(
        self, act: acts.HandOrder | acts.HandClose | acts.HandModify | acts.HandCancel
    ) -> Answer:
        hand = self._exchange.hand
        match act:
            case acts.HandOrder():
                terms = self._hand_terms(act)
                return self._traded(lambda _, now: hand.place(terms, now=now), "placed by hand")
            case acts.HandClose(quantity=wanted):
                con_id = self._instrument(act.symbol).con_id
                return self._traded(
                    lambda _, now: hand.close(con_id, quantity=wanted, now=now), "closed by hand"
                )
            case acts.HandModify():
                order = self._order(act.order)
                self._act(
                    lambda _, now: hand.modify(
                        order.perm_id,
                        quantity=act.quantity,
                        limit_price=act.limit,
                        stop_price=act.stop,
                        now=now,
                    )
                )
                return answers.order(self._again(order), "changed by hand")
            case acts.HandCancel():
                order = self._order(act.order)
                self._act(lambda _, now: hand.cancel(order.perm_id, now=now))
                return answers.order(self._again(order), "cancelled by hand")
            case _:
                assert_never(act)

    def _liquidate(self, act: acts.Liquidate) -> Answer:
        con_id, broker = self._instrument(act.symbol).con_id, self._exchange.liquidator
        return self._traded(lambda _, now: broker.liquidate(con_id, now=now), "liquidated")

    def _hand_terms(self, act: acts.HandOrder) -> OrderTerms:
        found = self._instrument(act.symbol)
        kind = {(False, False): "MKT", (True, False): "LMT", (False, True): "STP"}.get(
            (act.limit is not None, act.stop is not None), "STP LMT"
        )
        floor = self._server.engine.floor
        wire = WireOrder(
            contract=floor.contract(found.con_id),
            action=act.action,
            quantity=act.quantity,
            order_type=kind,
            limit_price=act.limit,
            aux_price=act.stop,
            tif="DAY",
            account=self._exchange.config.account,
        )
        return OrderTerms(
            con_id=found.con_id,
            action=act.action,
            quantity=act.quantity,
            order_type=kind,
            limit_price=act.limit,
            aux_price=act.stop,
            wire=wire,
        )

    def _traded(
        self, verb: Callable[[Exchange, datetime], Iterable[SimEvent]], what: str
    ) -> Answer:
        before = {order.perm_id for order in self._known()}
        self._act(verb)
        (new,) = [order for order in self._known() if order.perm_id not in before]
        return answers.order(new, what)

    # -- the broker and its gateway -------------------------------------------------------------

    def _do_at_broker(
        self, act: acts.Correct | acts.Bust | acts.Trade | acts.Take | acts.SlowOca
    ) -> Answer:
        broker, forcing = self._exchange.broker_acts, self._exchange.forcing
        match act:
            case acts.Correct(execution=name):
                self._act(
                    lambda _, now: broker.correct(
                        name, quantity=act.quantity, price=act.price, now=now
                    )
                )
                return answers.execution(self._exchange, name, "corrected")
            case acts.Bust(execution=name):
                self._act(lambda _, now: broker.bust(name, now=now))
                return answers.execution(self._exchange, name, "taken back")
            case acts.Trade():
                order = self._order(act.order)
                self._act(
                    lambda _, now: forcing.trade(order.perm_id, quantity=act.quantity, now=now)
                )
                return answers.order(self._again(order), "made to trade")
            case acts.Take():
                order = self._order(act.order)
                self._act(lambda _, now: broker.time_out(order.perm_id, reason=act.reason, now=now))
                return answers.order(self._again(order), "cancelled by the broker")
            case acts.SlowOca(types=types):
                self._act(lambda _, now: broker.slow_oca(*types, now=now))
                slow = f"types {', '.join(map(str, types))}" if types else "no type"
                return Answer(text=f"OCA links work late for {slow}", data={"types": types})
            case _:
                assert_never(act)

    def _do_to_gateway(self, act: acts.Arm | acts.Lift | acts.Wire | acts.Look) -> Answer:
        match act:
            case acts.Arm():
                numbers = self._server.arm(*act.faults, *act.links, *act.session)
                told = ", ".join(map(str, numbers))
                return Answer(text=f"armed: fault {told}", data={"faults": numbers})
            case acts.Lift(number=number):
                count = self._server.lift(number)
                if number is not None and not count:
                    raise CannotDo(f"there is no fault {number}", "ibkr-trader gateway inject look")
                return Answer(
                    text=f"{count} fault{'' if count == 1 else 's'} lifted", data={"lifted": count}
                )
            case acts.Wire(on=on):
                if self._folder is None:
                    raise CannotDo("this gateway has no folder for a wire log")
                self.close()
                path = self._folder / WIRE_FILE
                if on:
                    self._wire = WireFile(path)
                    self._server.engine.floor.wiring.tap = self._write_down
                text = f"every message is written to {path}" if on else "the wire log has ended"
                return Answer(text=text, data={"on": on, "path": str(path)})
            case acts.Look():
                return answers.books(self._exchange, self._server)
            case _:
                assert_never(act)

    def _arrange(self, act: acts.Plan | acts.Script | acts.Chaos) -> Answer:
        match act:
            case acts.Plan(trigger=trigger):
                if isinstance(trigger, Halted):
                    self._instrument(trigger.symbol)
                return plan(self._server, act)
            case acts.Script():
                return run(self._server, act, do=self)
            case acts.Chaos(seed=seed, percent=percent):
                self._server.faults.chaos = None if seed is None else Chaos(seed, percent)
                text = "no chaos" if seed is None else f"chaos {seed}: {percent:f} of 100 requests"
                return Answer(text=text, data={"seed": seed, "percent": percent})

    def _do_planned(self, act: acts.Act) -> None:
        try:
            answer = self(act)
        except CannotDo as error:
            logger.warning("what was planned cannot be done: %s", error.message)
        else:
            logger.warning("as planned: %s", answer.text)

    def _write_down(self, entry: WireEntry) -> None:
        if self._wire is not None:
            try:
                self._wire(entry)
            except OSError as error:  # a full disk must not stop the exchange
                logger.warning("the wire log ends here: %s", error)
                self.close()

    # -- looking things up ----------------------------------------------------------------------

    def _act(self, verb: Callable[[Exchange, datetime], Iterable[SimEvent]]) -> None:
        self._server.act(verb)

    def _instrument(self, symbol: str) -> Instrument:
        query = ContractQuery(symbol=symbol.upper(), sec_type="STK")
        found = self._exchange.universe.find(query)
        if not found:
            raise CannotDo(f"the simulator lists no stock {symbol.upper()}")
        in_dollars = [one for one in found if one.currency == self._exchange.config.currency]
        return (in_dollars or found)[0]

    def _known(self) -> tuple[SimOrder, ...]:
        register = self._exchange.orders
        return (*register.working(), *register.completed())

    def _again(self, order: SimOrder) -> SimOrder:
        return self._exchange.orders.get(order.key) or order

    def _order(self, name: str) -> SimOrder:
        """Find a working order by its orderRef, what fits it, or its permanent id."""
        working = self._exchange.orders.working()
        exact = [o for o in working if name in {o.terms.order_ref, str(o.perm_id)}]
        found = exact or [o for o in working if fits(o.terms.order_ref, name)]
        if len(found) == 1:
            return found[0]
        named = ", ".join(answers.name(order) for order in (found or working))
        what = f"{name} means several" if found else f"no order called {name} works"
        raise CannotDo(f"{what}; working: {named or 'none'}", "ibkr-trader gateway inject look")


def _goal(act: acts.Advance, now: datetime) -> datetime:
    """Where the clock is to go."""
    if act.clock is not None:
        today = now.astimezone(NEW_YORK).date()
        return datetime.combine(today, act.clock, NEW_YORK).astimezone(UTC)
    return act.to.astimezone(UTC) if act.to is not None else now + timedelta(seconds=act.seconds)
