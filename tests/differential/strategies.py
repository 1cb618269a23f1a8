"""Hypothesis strategies of operations on the small venue.

Used by the random tests and the property tests. Ranges are narrow, so that commands meet.
"""

from typing import Final

from hypothesis import strategies as st

from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.operations import (
    Again,
    Amend,
    Cancel,
    CancelAllAfter,
    Custody,
    MassCancel,
    New,
    Operation,
    Placed,
    Replace,
    Resolve,
    RestoreNow,
    Target,
    Transfer,
    Venue,
    Wait,
    Withdraw,
)
from tests.differential.small import ACTS, CUSTODY_STEPS

ACCOUNT = st.integers(0, 2)
MARKET = st.sampled_from((0, 0, 0, 1))
SIDE = st.sampled_from((enums.SIDE_BUY, enums.SIDE_SELL))
LOTS = st.integers(1, 6)
# Even prices fit both markets.
PRICE = st.sampled_from((98, 100, 100, 100, 102, 99, 101))
MODE = st.sampled_from(enums.SelfTradePrevention.values())
KINDS: Final = ("GTC", "GTC", "GTC", "GTC", "IOC", "FOK", "GTD", "POST_ONLY", "MARKET")
TARGET = st.builds(
    Target,
    number=st.integers(0, 15),
    by_order_id=st.booleans(),
    is_of_stranger=st.sampled_from((False,) * 9 + (True,)),
)
SECOND_KINDS: Final = (
    *("GTC", "GTC", "GTC", "IOC", "FOK", "MARKET", "ICEBERG", "ICEBERG", "ICEBERG", "MINIMUM"),
    *("DAY", "STOP", "STOP", "STOP_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "TRAILING"),
    *("STOP_BUDGET", "GTD"),
)
OVERTAKES = st.sampled_from((0, 0, 1, 2))
ATOMS = st.sampled_from((1, 450, 700, 5_000, 9_000))
OPERATIONS: Final[dict[str, st.SearchStrategy[Operation]]] = {
    "new": st.builds(
        New,
        account=ACCOUNT,
        market=MARKET,
        side=SIDE,
        kind=st.sampled_from((*KINDS, "MARKET_FOK", "BUDGET")),
        price=PRICE,
        lots=LOTS,
        mode=MODE,
        tag=st.integers(0, 1),
    ),
    "cancel": st.builds(Cancel, target=TARGET, overtakes=OVERTAKES),
    "amend": st.builds(
        Amend, target=TARGET, price=st.one_of(st.just(0), PRICE), lots=st.integers(0, 8)
    ),
    "mass cancel": st.builds(
        MassCancel,
        account=ACCOUNT,
        market=st.integers(0, 2),
        side=st.sampled_from(enums.Side.values()),
        tag=st.integers(0, 1),
        overtakes=OVERTAKES,
    ),
    "again": st.builds(Again, number=st.integers(0, 15)),
    "resolve": st.builds(Resolve, number=st.integers(0, 20), is_unknown=st.booleans()),
    "transfer": st.builds(
        Transfer, account=ACCOUNT, receiver=ACCOUNT, asset=st.integers(1, 2), atoms=ATOMS
    ),
    "withdraw": st.builds(
        Withdraw, account=ACCOUNT, asset=st.integers(1, 2), atoms=ATOMS, fee=st.integers(0, 3)
    ),
    "custody": st.builds(
        Custody,
        step=st.sampled_from((*CUSTODY_STEPS, "credit", "reverse")),
        number=st.integers(0, 15),
        account=ACCOUNT,
        atoms=ATOMS,
    ),
    "venue": st.builds(
        Venue, act=st.sampled_from(ACTS), market=MARKET, account=ACCOUNT, number=st.integers(0, 9)
    ),
    "wait": st.builds(Wait, milliseconds=st.sampled_from((1, 5, 6, 600_001))),
    "restore": st.just(RestoreNow()),
}
SECOND_NEW: Final = st.builds(
    New,
    account=ACCOUNT,
    market=MARKET,
    side=SIDE,
    kind=st.sampled_from(SECOND_KINDS),
    price=PRICE,
    lots=LOTS,
    mode=MODE,
    tag=st.integers(0, 1),
    part=st.integers(1, 4),
)
# Operations of tapes under rules version 2, where they are not the same.
SECOND_OPERATIONS: Final[dict[str, st.SearchStrategy[Operation]]] = OPERATIONS | {
    "new": SECOND_NEW,
    "amend": st.builds(
        Amend,
        target=TARGET,
        price=st.one_of(st.just(0), PRICE),
        lots=st.integers(0, 8),
        display=st.integers(0, 4),
    ),
    "replace": st.builds(Replace, target=TARGET, new=SECOND_NEW, allow_missing=st.booleans()),
    "cancel all after": st.builds(
        CancelAllAfter, account=ACCOUNT, timeout_ms=st.sampled_from((0, 1, 5, 86_400_001))
    ),
}
WEIGHTS: Final = {"new": 14, "amend": 5, "cancel": 3, "custody": 2, "venue": 2, "withdraw": 2}


def _drawn(
    operations: dict[str, st.SearchStrategy[Operation]],
) -> st.SearchStrategy[Operation]:
    """Drawn by name first: nested alternatives would each weigh the same."""
    names = tuple(name for name in operations for _ in range(WEIGHTS.get(name, 1)))
    return st.sampled_from(names).flatmap(operations.__getitem__)


def _placed(operations: dict[str, st.SearchStrategy[Operation]]) -> st.SearchStrategy[Placed]:
    return st.builds(
        Placed, operation=_drawn(operations), in_session=st.booleans(), is_joined=st.booleans()
    )


def _alone(operations: dict[str, st.SearchStrategy[Operation]]) -> st.SearchStrategy[Placed]:
    return st.builds(Placed, operation=_drawn(operations), in_session=st.booleans())


def _lists(placed: st.SearchStrategy[Placed]) -> st.SearchStrategy[list[Placed]]:
    """Mostly long lists, which may shrink to short ones."""
    return st.one_of(st.lists(placed, max_size=12), st.lists(placed, min_size=15, max_size=45))


TAPES: Final = _lists(_placed(OPERATIONS))
# For small tapes under rules version 2.
SECOND_TAPES: Final = _lists(_placed(SECOND_OPERATIONS))
# One command a batch, for what must hold after every command.
SINGLE_COMMANDS: Final = _lists(_alone(OPERATIONS))
SECOND_SINGLE_COMMANDS: Final = _lists(_alone(SECOND_OPERATIONS))
