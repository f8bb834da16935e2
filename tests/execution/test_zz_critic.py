from __future__ import annotations
from decimal import Decimal
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import prepare_addition, is_covered
from ibkr_trader.orders.linked_orders import ScaleInRequest
from tests.execution.parts import *
from tests.execution.test_guardian import *
from tests.scenarios.crash_child import bracket

async def test_scale_in_after_hand_sale() -> None:
    floor = Floor()
    async with guarded(floor, CoverRules()) as (trader, stranger):
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 4)
        await soon(floor, trader, lambda p: p.positions[AAPL].quantity == 6, seconds=0)
        await soon(floor, trader, lambda p: sizes(p) == {6}, seconds=0.9)
        add = await prepare_addition(trader, ScaleInRequest(symbol="AAPL", quantity=Decimal(7)))
        print("joins", add.group is None)
        got = await Desk(trader).submit_group(ScaleInRequest(symbol="AAPL", quantity=Decimal(7)), wait=Wait.FILLED)
        for _ in range(20):
            floor.clock.advance(0.5); trader.groups._beat(floor.clock.now()); await trader.groups.idle(); await trader.guardian.look()
            await asyncio.sleep(0.01)
        print([(o.order_id, o.spec.quantity, o.status) for o in trader.portfolio.orders.values()])
        assert trader.portfolio.positions[AAPL].quantity == 13
        assert is_covered(trader.portfolio, AAPL)
