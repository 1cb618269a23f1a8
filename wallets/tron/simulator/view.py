"""What one endpoint of a simulated chain shows: a head that may lag, and faults of its own.

Kept by the server; read by the answers and changed by the routes that steer.
"""

from wallets.tron.simulator.chain import Chain, SimulatedBlock
from wallets.tron.simulator.state import State


class View:
    """One endpoint of a chain."""

    def __init__(self, chain: Chain, lag_blocks: int = 0) -> None:
        self.chain = chain
        self.lag_blocks = lag_blocks
        # Calls that are still answered; None is no limit.
        self.calls_left: int | None = None
        # Receipts of blocks are empty, as on a replica that has the block and not yet its results.
        self.empty_receipts = False

    def view(self, is_solid: bool) -> list[SimulatedBlock]:
        """The blocks that this endpoint shows."""
        height = self.chain.solid_height if is_solid else self.chain.head.height
        return self.chain.blocks[: max(0, height - self.lag_blocks) + 1]

    def state(self, is_solid: bool) -> State:
        """The state that calls see; on a full node waiting transactions are counted already."""
        return self.view(True)[-1].state if is_solid else self.chain.pool_state

    def time_ms(self, is_solid: bool) -> int:
        """The time of the newest block that calls see."""
        return self.view(is_solid)[-1].time_ms
