"""ibkr-ops as a job would use it: one session, every verb that it offers, one line for each.

    python operations.py PORT FOLDER

Orders go through the session's own verbs. The gate above them (`orders.execute`) is about which
accounts a user trusts, not about the wire, and takes every account but DU… and DF… for live.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ib_async import Contract, LimitOrder, MarketOrder
from ibkr_ops import gates, orders  # type: ignore[import-not-found]  # lives in an environment of its own
from ibkr_ops.config import Endpoint  # type: ignore[import-not-found]  # as above
from ibkr_ops.contracts import to_contract  # type: ignore[import-not-found]  # as above
from ibkr_ops.history import bar_rows  # type: ignore[import-not-found]  # as above
from ibkr_ops.probe import entitled  # type: ignore[import-not-found]  # as above
from ibkr_ops.session import ReadOnlySession, Session  # type: ignore[import-not-found]  # as above

PATIENCE = 10.0
STEP = 0.05


def tell(event: str, **values: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"event": event, **values}, default=str) + "\n")
    sys.stdout.flush()


def until(session: Any, reached: Callable[[], bool]) -> None:
    """Let the session listen until something is so, or for as long as anybody would wait."""
    for _ in range(int(PATIENCE / STEP)):
        if reached():
            return
        session.ib.sleep(STEP)


def look(endpoint: Any) -> None:
    """Tell what a session that may not trade sees."""
    with Session(endpoint, role="cron-quotes") as session:
        apple = session.qualify(to_contract("AAPL"))
        tell("qualified", conId=apple.conId, unknown=session.qualify(to_contract("ZZZZ")))
        tell("session", account=session.account, version=session.ib.client.serverVersion())
        microsoft = session.qualify(to_contract("MSFT"))
        quotes = session.quotes({"AAPL": apple, "MSFT": microsoft}, wait=PATIENCE)
        tell("quotes", rows=quotes)
        bars = session.history(apple, duration="2 D", bar_size="1 hour", backoff=())
        tell("bars", rows=bar_rows("AAPL", bars))
        tell("entitled", answer=entitled(session, microsoft))
        try:
            session.place(apple, MarketOrder("BUY", 1))
        except ReadOnlySession:
            tell("refused")


def trade(endpoint: Any, folder: Path) -> None:
    """Preview, place, modify, cancel; then buy and tell the fill."""
    with Session(endpoint, role="cron-orders", readonly=False) as session:
        apple: Contract = session.qualify(to_contract("AAPL"))
        state = session.what_if(apple, LimitOrder("BUY", 10, 150, tif="DAY"))
        tell("preview", margin=state.initMarginChange, commission=state.commission)
        resting = LimitOrder("BUY", 10, 100, tif="DAY", orderRef="resting")
        placed = session.place(apple, resting)
        tell("placed", **session.await_orders([placed], timeout=PATIENCE)[resting.orderId])
        resting.lmtPrice = 101
        session.place(apple, resting)
        session.ib.reqCurrentTime()  # what the change caused comes before this answer
        [shown] = [t for t in session.ib.reqAllOpenOrders() if t.order.orderId == resting.orderId]
        tell("modified", limit=shown.order.lmtPrice, permId=shown.order.permId)
        session.cancel(placed)
        until(session, placed.isDone)
        tell("cancelled", **session.order_state(placed))
        bought = session.place(apple, MarketOrder("BUY", 10, tif="DAY"))
        until(session, lambda: any(f.commissionReport.commission for f in bought.fills))
        [fill] = bought.fills
        charge = fill.commissionReport
        tell(
            "filled",
            price=fill.execution.price,
            fee=charge.commission,
            **session.order_state(bought),
        )
        until(session, lambda: bool(session.ib.positions()))
        tell("positions", rows=[(p.contract.symbol, p.position) for p in session.ib.positions()])
        intents = [gates.OrderIntent(key="AAPL", qty=1, limit=150)]
        policy = gates.Policy(place=True)
        decision, results = orders.execute(session, intents, policy, folder / "ledger.jsonl")
        tell("gated", mode=decision.mode, why=decision.blocked, results=results)


def main() -> None:
    """Look with one session, trade with another."""
    endpoint = Endpoint(host="127.0.0.1", port=int(sys.argv[1]))
    look(endpoint)
    trade(endpoint, Path(sys.argv[2]))


if __name__ == "__main__":
    main()
