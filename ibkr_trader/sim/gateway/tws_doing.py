"""Carries out what TWS and the broker do to orders: settings, modes, naps, doubles, bands."""

from collections.abc import Callable

import msgspec

from ibkr_trader.sim.floor_rules import Nap
from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.orders import SimOrder
from ibkr_trader.sim.precautions import Precautions

replace = msgspec.structs.replace


def do_at_tws(
    server: GatewayServer,
    act: acts.Precaution | acts.Brackets | acts.Sleep | acts.Double | acts.Band,
    *,
    find: Callable[[str], SimOrder],
) -> Answer:
    """Do an act, and say what came of it; `find` knows the working orders by their names.

    Raises:
        CannotDo: From `find`.
    """
    exchange = server.engine.floor.exchange
    tws, floor = exchange.tws_acts, exchange.floor_acts
    match act:
        case acts.Precaution():
            return _set_up(server, act)
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
            perm_id = find(act.order).perm_id
            before = {one.perm_id for one in exchange.orders.working()}
            server.act(lambda _, now: tws.double(perm_id, now=now))
            new = [one for one in exchange.orders.working() if one.perm_id not in before]
            ids = [one.perm_id for one in new]
            text = f"{act.order} lives twice: {perm_id} and {', '.join(map(str, ids))}"
            return Answer(text=text, data={"perm_ids": [perm_id, *ids]})


def _set_up(server: GatewayServer, act: acts.Precaution) -> Answer:
    exchange, figure = server.engine.floor.exchange, act.figure
    before = exchange.rules.precautions
    match act.kind:
        case "size-limit":
            to = replace(before, size_limit=figure)
        case "value-limit":
            to = replace(before, value_limit=figure)
        case "percentage":
            to = replace(before, percentage=figure)
        case "read-only":
            to = replace(before, is_read_only=True)
        case _:
            to = Precautions()
    server.act(lambda _, now: exchange.floor_acts.set_up(to, now=now))
    what = act.kind if figure is None else f"{act.kind} {figure:f}"
    is_lifted = to == Precautions()
    text = "TWS's settings are lifted" if is_lifted else f"TWS's own settings: {what}"
    return Answer(text=text, data={"kind": act.kind, "figure": figure})
