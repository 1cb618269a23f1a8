"""Parameters of the simulated chain, as on mainnet, and the sizes it may grow to."""

from dataclasses import dataclass
from typing import Final

SLOT_MILLISECONDS: Final = 3_000
# Slots over which used bandwidth comes back: a day.
WINDOW_SLOTS: Final = 28_800
# The window of an account is counted in thousandths of slots.
WINDOW_PRECISION: Final = 1_000
PRECISION: Final = 1_000_000
SUN_PER_TRX: Final = 1_000_000
RESULT_BYTES: Final = 64
# Blocks whose hashes a transaction may name.
REFERENCE_BLOCKS: Final = 65_536
EXPIRATION_MILLISECONDS_MAX: Final = 24 * 3_600_000
FEE_LIMIT_SUN_MAX: Final = 15_000_000_000
# Of chain time that may go by at once: a year.
MISSED_MILLISECONDS_MAX: Final = 366 * 24 * 3_600_000
PENDING_MAX: Final = 100_000
UNSTAKING_MAX: Final = 32
DAY_MILLISECONDS: Final = 24 * 3_600_000
# Slots that a locked loan lasts when it names none: three days.
LOCK_SLOTS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Parameters:
    """Prices in sun; the governance of the real chain changes them."""

    byte_price: int = 1_000
    energy_price: int = 100
    free_bandwidth_bytes: int = 600
    create_account_fee: int = 100_000
    create_account_system_fee: int = 1_000_000
    memo_fee: int = 1_000_000
    # Of a transaction with more than one, and of changing an account's permissions.
    several_signatures_fee: int = 1_000_000
    permission_fee: int = 100_000_000
    # Of the whole chain a day, and the TRX that others than the accounts here staked for it.
    bandwidth_total_bytes: int = 43_200_000_000
    bandwidth_staked_trx: int = 27_000_000_000
    energy_total: int = 180_000_000_000
    energy_staked_trx: int = 18_000_000_000
    unstaking_days: int = 14
    # A busy contract's calls cost more from round to round; changes in ten-thousandths.
    maintenance_slots: int = 7_200
    busy_energy: int = 5_000_000_000
    factor_increase: int = 2_000
    factor_max: int = 34_000
    lock_slots_max: int = LOCK_SLOTS
    # Blocks between the head and the newest one that cannot be replaced.
    solid_lag_blocks: int = 20
    transactions_per_block: int = 1_000
