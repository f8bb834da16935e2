"""What the gateway's door answers: sentences for people, tables for scripts."""

from typing import Any

import msgspec

from ibkr_trader.core.text import moment, price, quantity
from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.agenda import Planned
from ibkr_trader.sim.gateway.fault_acts import Ring
from ibkr_trader.sim.gateway.faults import Armed
from ibkr_trader.sim.gateway.ledger_view import LedgerView
from ibkr_trader.sim.gateway.network import Standing
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.gateway.uplink import InForce
from ibkr_trader.sim.instruments import Instrument
from ibkr_trader.sim.orders import Execution, SimOrder


def market(exchange: Exchange, instrument: Instrument, what: str) -> Answer:
    """Say where an instrument's market stands."""
    tape = exchange.market.tape(instrument.con_id)
    data = {"symbol": instrument.symbol, "bid": tape.bid, "ask": tape.ask, "last": tape.last}
    sides = f"{price(tape.bid)} bid, {price(tape.ask)} asked"
    return Answer(text=f"{instrument.symbol} {what} {price(tape.last)} ({sides})", data=data)


def order(order: SimOrder, what: str) -> Answer:
    """Say how an order stands."""
    done = f", {quantity(order.filled)} filled" if order.filled else ""
    terms = f"{order.terms.action} {quantity(order.quantity)} {order.terms.order_type}"
    text = f"{name(order)} {what}: {terms}, {order.status}{done}"
    return Answer(text=text, data={"order": order_facts(order)})


def execution(exchange: Exchange, exec_id: str, what: str) -> Answer:
    """Say how an execution stands, by any of its revisions."""
    family = exec_id.rpartition(".")[0]
    found = [e for e in LedgerView(exchange).executions() if e.exec_id.startswith(family + ".")]
    now = found[-1]
    told = f"{now.side} {quantity(now.shares)} at {price(now.price)}"
    return Answer(text=f"{now.exec_id} {what}: {told}", data={"execution": fill_facts(now)})


def books(exchange: Exchange, server: GatewayServer) -> Answer:
    """Tell what the exchange's books hold, and which faults are in force."""
    ledger, universe = LedgerView(exchange), exchange.universe
    held = {universe[con_id].symbol: number for con_id, number in ledger.positions().items()}
    live = [order_facts(one) for one in ledger.live()]
    fills = [fill_facts(one) for one in ledger.executions()]
    floor = server.engine.floor
    standing: list[Any] = [*server.faults.armed, *server.network.armed, *server.uplink.armed]
    standing = [one for one in standing if not _is_bell(one)]
    standing.sort(key=lambda one: one.number)
    armed = [fault_facts(one) for one in standing]
    lines = [f"{symbol}: {quantity(number)} held" for symbol, number in held.items()]
    lines += [order(one, "works").text for one in ledger.live()]
    lines += [
        f"{one.exec_id}: {one.side} {quantity(one.shares)} at {price(one.price)}"
        for one in ledger.executions()
    ]
    lines += [f"fault {one.number}: {told(one)}" for one in standing]
    plans = floor.wiring.agenda.armed
    lines += [f"plan {one.number}: {_of_plan(one)}" for one in plans]
    lines += [
        f"client {client} is at its connection {count}"
        for client, count in floor.connections.items()
    ]
    chaos = server.faults.chaos
    if chaos is not None:
        lines.append(f"chaos {chaos.seed}: {chaos.percent:f} of 100 requests meet a fault")
        lines += [f"chaos drew {one}" for one in chaos.drawn]
    data = {
        "positions": held,
        "orders": live,
        "executions": fills,
        "faults": armed,
        "chaos": None if chaos is None else {"seed": chaos.seed, "drawn": list(chaos.drawn)},
        "plans": [_plan_facts(one) for one in plans],
        "connections": {str(client): count for client, count in floor.connections.items()},
    }
    return Answer(text="\n".join(lines) or "nothing held, nothing working", data=data)


def name(order: SimOrder) -> str:
    """Return what to call an order: its client's name for it, else its permanent id."""
    return order.terms.order_ref or str(order.perm_id)


def order_facts(order: SimOrder) -> dict[str, Any]:
    """Return an order as a flat table."""
    return {
        "name": name(order),
        "perm_id": order.perm_id,
        "client_id": order.client_id,
        "order_id": order.order_id,
        "con_id": order.terms.con_id,
        "action": order.terms.action,
        "type": order.terms.order_type,
        "quantity": order.quantity,
        "filled": order.filled,
        "limit_price": order.terms.limit_price,
        "stop_price": order.stop_price,
        "status": order.status,
        "why_held": order.why_held,
        "oca_group": order.oca_group,
    }


def fill_facts(execution: Execution) -> dict[str, Any]:
    """Return an execution as a flat table."""
    return {
        "exec_id": execution.exec_id,
        "order_ref": execution.order_ref,
        "perm_id": execution.perm_id,
        "con_id": execution.con_id,
        "side": execution.side,
        "shares": execution.shares,
        "price": execution.price,
        "at": execution.at,
    }


def fault_facts(armed: Armed | Standing | InForce) -> dict[str, Any]:
    """Return a fault in force as a table."""
    return {
        "number": armed.number,
        "struck": 0 if isinstance(armed, InForce) else armed.struck,
        "fault": msgspec.to_builtins(armed.fault),
    }


def told(armed: Armed | Standing | InForce) -> str:
    """Say what a fault does."""
    if not isinstance(armed, Armed):
        return _told_plainly(armed)
    when, act = armed.fault.when, msgspec.to_builtins(armed.fault.act)
    how = ", ".join(f"{key} {value}" for key, value in act.items() if key != "act")
    about = "" if when.order == "*" else f" of {when.order}"
    return f"{act['act']} {' and '.join(when.names)}{about}{f' ({how})' if how else ''}"


def _is_bell(armed: Any) -> bool:
    """Say whether it only waits for a message on behalf of a plan, which is told itself."""
    return isinstance(armed, Armed) and isinstance(armed.fault.act, Ring)


def _plan_facts(plan: Planned) -> dict[str, Any]:
    return {
        "number": plan.number,
        "trigger": msgspec.to_builtins(plan.trigger),
        "act": msgspec.to_builtins(plan.act),
        "due": plan.due,
    }


def _of_plan(plan: Planned) -> str:
    act = msgspec.to_builtins(plan.act)
    if plan.due is not None:
        return f"{act['do']} at {moment(plan.due, NEW_YORK)}"
    trigger = msgspec.to_builtins(plan.trigger)
    kind = trigger.pop("trigger")
    when = trigger.pop("when", trigger)
    given = [f"{key} {_listed(value)}" for key, value in when.items() if value is not None]
    return f"{act['do']} when {kind} ({', '.join(given)})"


def _listed(value: Any) -> str:
    return " ".join(value) if isinstance(value, list | tuple) else str(value)


def _told_plainly(armed: Standing | InForce) -> str:
    fault = msgspec.to_builtins(armed.fault)
    kind = fault.pop("link", None) or fault.pop("session")
    given = [f"{key} {value}" for key, value in fault.items() if value not in {None, False}]
    return f"{kind} ({', '.join(given)})" if given else str(kind)
