"""Carries out what is done to sockets at once: to end conversations, and to talk nonsense."""

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway.acts import Answer
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.gateway.spoiling import garbage, oversize


def do_to_sockets(server: GatewayServer, act: acts.Sockets) -> Answer:
    """Do an act to the conversations that are under way, and say to how many."""
    server.engine.touch()
    chosen = server.lines.sessions(act.client)
    for session in chosen:
        match act:
            case acts.HangUp(how=how):
                session.cut(reset=how == "rst", keep=False)
            case acts.Blurt(what=what, size=size):
                data = garbage(size) if what == "garbage" else oversize(size)
                session.talk.say_raw(data, name=what)
    server.lines.flush()
    count = len(chosen)
    ends = f"connection{'' if count == 1 else 's'}"
    if isinstance(act, acts.HangUp):
        text = f"{count} {ends} {'broken off' if act.how == 'rst' else 'closed'}"
    else:
        text = f"{act.what} sent to {count} {ends}"
    return Answer(text=text, data={"connections": count})
