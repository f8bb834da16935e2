"""Carries out what TWS and the broker do to orders: modes, naps, doubles, bands."""

from ibkr_trader.sim.floor_rules import Nap
from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.orders import SimOrder


def do_at_tws(
    server: GatewayServer,
    act: acts.Brackets | acts.Sleep | acts.Double | acts.Band,
    order: SimOrder | None,
) -> Answer:
    """Do an act, to `order` if it is about one, and say what came of it."""
    exchange = server.engine.floor.exchange
    tws, floor = exchange.tws_acts, exchange.floor_acts
    match act:
        case acts.Brackets(mode=mode):
            server.act(lambda _, now: tws.choose_bracket_mode(mode, now=now))
            return Answer(text=f"bracket mode: {mode}", data={"mode": mode})
        case acts.Sleep(order=ref, seconds=seconds):
            nap = Nap(ref=ref, seconds=seconds)
            server.act(lambda _, now: tws.put_to_sleep(nap, now=now))
            long = "until it is cancelled" if seconds is None else f"for {seconds} s"
            return Answer(text=f"the next order is Inactive {long}", data={"seconds": seconds})
        case acts.Band(percent=percent):
            server.act(lambda _, now: floor.band(percent, now=now))
            text = "no band" if percent is None else f"a band of {percent:f} %"
            return Answer(text=text, data={"percent": percent})
        case acts.Double():
            perm_id = 0 if order is None else order.perm_id
            before = {one.perm_id for one in exchange.orders.working()}
            server.act(lambda _, now: tws.double(perm_id, now=now))
            new = [one for one in exchange.orders.working() if one.perm_id not in before]
            ids = [one.perm_id for one in new]
            text = f"{act.order} lives twice: {perm_id} and {', '.join(map(str, ids))}"
            return Answer(text=text, data={"perm_ids": [perm_id, *ids]})
