"""Puts an act on the agenda, and lets whatever it waits for ring."""

from ibkr_trader.sim.gateway import acts, triggers
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.fault_acts import Ring
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.network import Mark
from ibkr_trader.sim.gateway.server import GatewayServer


def plan(server: GatewayServer, act: acts.Plan) -> Answer:
    """Have an act wait for its hour, and say under which number."""
    wiring = server.engine.floor.wiring
    agenda = wiring.agenda
    server.engine.touch()
    trigger = act.trigger
    one = agenda.plan(trigger, act.act)
    match trigger:
        case triggers.Passing(when=when):
            wiring.faults.arm(Fault(when=when, act=Ring(plan=one.number)))
        case triggers.Byte(at=at, way=way, client=client):
            wiring.network.mark(Mark(way, at, client=client, then=lambda: agenda.strike(one)))
        case _:
            pass
    return Answer(text=f"planned: number {one.number}", data={"plan": one.number})
