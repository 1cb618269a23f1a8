"""Routes under `/simulator` that steer a simulated chain; a real node has none of them.

Each raises KeyError, TypeError or ValueError for what it does not understand, and then nothing
changes.
"""

from collections.abc import Callable
from typing import Final

from wallets.tron.simulator.funding import funding_of, set_contract
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.view import View

BLOCKS_MAX: Final = 100_000
Steer = Callable[[View, Json], None]


def make_blocks(node: View, body: Json) -> None:
    """Makes `count` blocks at once. Raises ValueError."""
    count = int(body.get("count", 1))
    if not 0 <= count <= BLOCKS_MAX:
        raise ValueError(f"{count} blocks at once")
    for _ in range(count):
        node.chain.make_block()


def pass_time(node: View, body: Json) -> None:
    """Lets `seconds` of the chain's clock go by without blocks. Raises ValueError."""
    node.chain.miss_slots(int(body["seconds"]) * 1_000)


def switch_fork(node: View, body: Json) -> None:
    """Lets another branch win: `depth` blocks, `keep` their transactions. Raises ValueError."""
    node.chain.switch_fork(int(body["depth"]), bool(body["keep"]))


def set_faults(node: View, body: Json) -> None:
    """Sets faults by name. Raises ValueError for an unknown one."""
    for name, value in body.items():
        if name in ("lag_blocks", "calls_left", "empty_receipts"):
            setattr(node, name, value)
        elif name in node.chain.faults.__dataclass_fields__:
            setattr(node.chain.faults, name, value)
        else:
            raise ValueError(f"no fault {name}")


def give(node: View, body: Json) -> None:
    """Coins for an account. Raises KeyError, TypeError or ValueError."""
    node.chain.fund(funding_of(body))


def change_contract(node: View, body: Json) -> None:
    """Habits of a contract. Raises KeyError or ValueError."""
    chain = node.chain
    set_contract(chain.head.state, body, chain.head.time_ms)
    chain.refill_pool()


STEERING: Final[dict[str, Steer]] = {
    "block": make_blocks,
    "time": pass_time,
    "fork": switch_fork,
    "faults": set_faults,
    "fund": give,
    "contract": change_contract,
}
