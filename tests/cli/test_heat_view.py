from __future__ import annotations

import msgspec

from ibkr_trader.cli.heat_view import position_document, remarks
from tests.risk.world import MSFT, D, held, portfolio, view


def test_a_symbol_is_written_as_one_types_it() -> None:
    brk = msgspec.structs.replace(MSFT, symbol="BRK B", con_id=3)
    state = msgspec.structs.replace(portfolio(held(1, brk)), marks={})
    world = view(portfolio=state)
    (one,) = world.heat_now().contracts.values()
    assert "  BRK B: nobody knows its price. Next: ibkr-trader quote BRK.B" in remarks(world, [one])
    document = position_document(one, world)
    assert (document["symbol"], document["with_gap"]) == ("BRK.B", None)


def test_other_money_is_not_in_the_sums() -> None:
    yen = msgspec.structs.replace(MSFT, symbol="7203", con_id=7, currency="JPY")
    world = view(held(1, yen, "3000"))
    (one,) = world.heat_now().contracts.values()
    assert one.mark == D(3000)
    said = remarks(world, [one])
    assert "  7203: not in the sums: nothing here converts JPY" in said
    assert not any("nobody knows its price" in line or "no working stop" in line for line in said)
