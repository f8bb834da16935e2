"""The same market, the same quotes: what any market data behind the port must tell."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core import events as ev
from tests.contract.conftest import AAPL_ID, Pit


async def test_what_trades_is_told_as_the_volume_of_the_day(pit: Pit) -> None:
    details = await pit.market.resolve("AAPL")
    await pit.market.quote(details.contract, timeout=5)
    sold = pit.exchange.market.tape(AAPL_ID).volume
    assert sold > 0
    pit.exchange.market.print_trade(AAPL_ID, price=Decimal(150), size=Decimal(300))
    pit.pulse()
    event = await pit.until(
        ev.MarketEvent,
        lambda news: (
            (isinstance(news, ev.VolumeEvent) and news.volume == sold + 300)
            or (isinstance(news, ev.PriceEvent) and news.quote.volume == sold + 300)
        ),
    )
    assert event.contract.con_id == AAPL_ID
