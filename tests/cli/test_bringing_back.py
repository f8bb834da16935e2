"""What `undo` says where nothing can come back yet: that is no fault of ours."""

from __future__ import annotations

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.config import Settings
from ibkr_trader.core.events import CancelRequestEvent
from ibkr_trader.execution.desk import Desk
from tests.cli.serving_parts import counter
from tests.execution.parts import request


async def test_what_may_still_be_live_does_not_come_back_yet(settings: Settings) -> None:
    async with counter(settings) as at:
        trader = at.desk.trader
        order = await Desk(trader).submit_order(request(limit="149.00"))
        asked = CancelRequestEvent(at=trader.clock.now(), order_id=order.order_id, origin="cli")
        trader.record.write([asked])
        for dry_run in (True, False):
            refused = await at("protect.undo", json=True, dry_run=dry_run)
            assert isinstance(refused, Failure)
            assert (refused.code, refused.exit_code) == ("incomplete", Exit.INCOMPLETE)
            assert "may still be live" in refused.message
            assert refused.hint == "ibkr-trader orders"
