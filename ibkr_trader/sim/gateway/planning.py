"""Puts an act on the agenda, and lets whatever it waits for ring."""

from collections.abc import Callable

from ibkr_trader.sim.gateway import acts, triggers
from ibkr_trader.sim.gateway.acts import Answer, CannotDo
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
            (bell,) = wiring.faults.arm(Fault(when=when, act=Ring(plan=one.number)))
            one.undo = lambda: wiring.faults.lift(bell)
        case triggers.Byte(at=at, way=way, client=client):
            mark = Mark(way, at, client=client, then=lambda: agenda.strike(one))
            wiring.network.mark(mark)
            one.undo = lambda: wiring.network.marks.remove(mark)
        case _:
            pass
    return Answer(text=f"planned: number {one.number}", data={"plan": one.number})


def run(server: GatewayServer, script: acts.Script, *, do: Callable[[acts.Act], Answer]) -> Answer:
    """Do what a script says, line by line; if a line cannot be done, take back what is in force.

    Raises:
        CannotDo: With the line and the reason. What acts of markets and people have done stays.
    """
    told: list[str] = []
    chaos = server.faults.chaos
    numbers: list[int] = []
    for step in script.steps:
        try:
            answer = do(step.act)
        except CannotDo as error:
            for number in numbers:
                server.lift(number)
            server.faults.chaos = chaos
            message = f"{script.name}:{step.line}: {error.message}; nothing of it is in force"
            raise CannotDo(message, error.hint) from error
        told.append(answer.text)
        numbers += answer.data.get("faults", ()) if isinstance(step.act, acts.Arm) else ()
        numbers += [answer.data["plan"]] if isinstance(step.act, acts.Plan) else []
    lines = [f"{script.name}: {len(told)} done", *(f"  {text}" for text in told)]
    return Answer(text="\n".join(lines), data={"done": len(told), "told": told})
