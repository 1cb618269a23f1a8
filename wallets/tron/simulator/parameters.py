"""Parameters of the simulated chain, as on mainnet, and the sizes it may grow to."""

from dataclasses import dataclass
from typing import Final

SLOT_MILLISECONDS: Final = 3_000
# Slots over which used bandwidth comes back: a day.
WINDOW_SLOTS: Final = 28_800
PRECISION: Final = 1_000_000
RESULT_BYTES: Final = 64
# Blocks whose hashes a transaction may name.
REFERENCE_BLOCKS: Final = 65_536
EXPIRATION_MILLISECONDS_MAX: Final = 24 * 3_600_000
FEE_LIMIT_SUN_MAX: Final = 15_000_000_000
PENDING_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """Prices in sun; the governance of the real chain changes them."""

    byte_price: int = 1_000
    energy_price: int = 100
    free_bandwidth_bytes: int = 600
    create_account_fee: int = 100_000
    create_account_system_fee: int = 1_000_000
    memo_fee: int = 1_000_000
    # Blocks between the head and the newest one that cannot be replaced.
    solid_lag_blocks: int = 20
    transactions_per_block: int = 1_000
