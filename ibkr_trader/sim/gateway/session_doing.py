"""Carries out what befalls a gateway as a whole: it restarts, moves, finds its broker again."""

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway.acts import Answer, CannotDo
from ibkr_trader.sim.gateway.server import GatewayServer
from ibkr_trader.sim.gateway.talk import NO_REQUEST
from ibkr_trader.sim.gateway.transport_faults import Refuse

MOVED = (
    "TWS socket port has been reset and this connection is being dropped.\n"
    "Please reconnect on the new port - {port}"
)


def do_to_sessions(server: GatewayServer, act: acts.Session) -> Answer:
    """Do an act to a gateway, and say what came of it.

    Raises:
        CannotDo: With the reason.
    """
    server.engine.touch()
    match act:
        case acts.Restore(code=code):
            server.uplink.restore(code)
            server.lines.flush()
            return Answer(text=f"{code} told: the broker is reached again", data={"code": code})
        case acts.MovePort(port=port):
            return _move(server, port)
        case acts.Restart():
            return _restart(server, act)
        case acts.RollOver():
            server.act(lambda exchange, now: exchange.tws_acts.roll_over(now=now))
            return Answer(text="the day's executions and completed orders are told no more")
        case acts.Executions(whose=whose):
            server.engine.floor.own_executions = whose == "own"
            who = "the client's own" if whose == "own" else "everybody's"
            return Answer(text=f"reqExecutions tells {who} executions", data={"whose": whose})
        case acts.TradeLog(days=days):
            server.engine.floor.logged_days = days
            span = "today's executions" if days == 1 else f"the executions of {days} days"
            return Answer(text=f"reqExecutions tells {span}", data={"days": days})


def _move(server: GatewayServer, port: int) -> Answer:
    before = server.port
    try:
        server.listening.move(port)
    except (OSError, ValueError) as error:
        raise CannotDo(str(error)) from error
    for session in server.lines.sessions():
        session.talk.refuse(NO_REQUEST, 1300, MOVED.format(port=server.port))
        session.cut(reset=False, keep=True)
    server.lines.flush()
    text = f"it listens on 127.0.0.1:{server.port} now, and no longer on {before}"
    return Answer(text=text, data={"port": server.port, "before": before})


def _restart(server: GatewayServer, act: acts.Restart) -> Answer:
    dropped = server.lines.sessions()
    for session in dropped:
        session.cut(reset=False, keep=False)
    server.lines.flush()
    server.uplink.forget()
    if act.untransmitted == "lose":
        server.act(lambda exchange, now: exchange.tws_acts.forget_untransmitted(now=now))
    if act.seconds > 0:
        server.arm(Refuse(seconds=act.seconds))
    text = f"restarted: {len(dropped)} dropped, nobody is accepted for {act.seconds:g} s"
    return Answer(text=text, data={"dropped": len(dropped), "seconds": act.seconds})
