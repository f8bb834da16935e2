"""Whatever is corrected, the account is what its executions say, each in its latest revision."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibkr_trader.sim.orders import Execution
from tests.sim.pit_desk import Pit, d, terms

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 20)),
        st.tuples(st.sampled_from(["quantity", "price", "bust"]), st.integers(0, 40)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=14,
)


def effective(pit: Pit) -> list[Execution]:
    found = {one.exec_id.rpartition(".")[0]: one for one in pit.exchange.orders.executions()}
    return list(found.values())


@settings(max_examples=60)
@example(steps=[("BUY", 1), ("quantity", 0), ("quantity", 20)])
@given(steps=STEPS)
def test_the_account_is_the_sum_of_its_executions(steps: list[tuple[str, int]]) -> None:
    pit = Pit()
    for verb, number in steps:
        known, acts = effective(pit), pit.exchange.broker_acts
        chosen = known[number % len(known)] if known else None
        if verb in {"BUY", "SELL"}:
            pit.place(terms(verb, number, "MKT"))
        elif verb == "restart":
            pit = pit.restarted()
        elif chosen is None:
            continue
        elif verb == "bust":
            acts.bust(chosen.exec_id, now=pit.now)
        elif verb == "quantity":
            acts.correct(chosen.exec_id, quantity=d(number), now=pit.now)
        else:
            acts.correct(chosen.exec_id, price=d(130 + number), now=pit.now)
    held = effective(pit)
    assert pit.position() == sum((e.shares * e.side.sign for e in held), d(0))
    paid = sum((e.shares * e.price * e.side.sign + e.commission for e in held), d(0))
    assert pit.exchange.account.totals().cash == 1_000_000 - paid
    for one in held:
        order = pit.order(one.order_id)
        assert order is not None
        assert (order.filled, order.commission) == (one.shares, one.commission)
    if pit.position() == 0:
        position = pit.exchange.account.positions.get(265598)
        assert position is None or position.cost == 0
