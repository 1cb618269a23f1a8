"""What gas may cost: base fee and tip within ceilings, and what a replacement must offer. Pure.

Called by the adapter. Prices are wei per gas. Nodes keep a replacement only when it offers ten
per cent more in both fields.
"""

from dataclasses import dataclass, replace

from wallets.errors import Condition, Stuck


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """`ceiling` is absolute; `market_multiple` bounds the fee by the base fee of now."""

    ceiling_per_gas_atoms: int
    priority_floor_per_gas_atoms: int
    priority_ceiling_per_gas_atoms: int
    market_multiple: int = 5
    # The base fee that a transaction still pays: it at most doubles within six blocks.
    base_fee_multiple: int = 2

    def __post_init__(self) -> None:
        floor, ceiling = self.priority_floor_per_gas_atoms, self.priority_ceiling_per_gas_atoms
        if not 0 < floor <= ceiling <= self.ceiling_per_gas_atoms:
            raise ValueError("0 < priority floor <= priority ceiling <= ceiling")
        if not 1 <= self.base_fee_multiple <= self.market_multiple:
            raise ValueError("1 <= multiple of the base fee <= multiple of the market")

    def for_cancel(self) -> "FeePolicy":
        """Twice as high: a payout at its ceiling must leave room for the cancel of it."""
        return replace(
            self,
            ceiling_per_gas_atoms=2 * self.ceiling_per_gas_atoms,
            market_multiple=2 * self.market_multiple,
        )


@dataclass(frozen=True, slots=True)
class Fees:
    """Both fields of a transaction."""

    max_fee_per_gas_atoms: int
    priority_fee_per_gas_atoms: int


def fees_for(
    base_fee_atoms: int,
    told_priority_atoms: int,
    policy: FeePolicy,
    *,
    replaced: Fees | None,
    payable_per_gas_atoms: int,
) -> Fees:
    """What to offer now. Raises Stuck(AT_CEILING) when that is not enough to be mined soon.

    `replaced` holds the highest of each field among earlier attempts; `payable_per_gas_atoms` is
    what the approval leaves for one gas.
    """
    priority = min(
        max(told_priority_atoms, policy.priority_floor_per_gas_atoms),
        policy.priority_ceiling_per_gas_atoms,
    )
    wanted = base_fee_atoms * policy.base_fee_multiple + priority
    needed = base_fee_atoms + priority
    if replaced is not None:
        priority = max(priority, raised(replaced.priority_fee_per_gas_atoms))
        least = raised(replaced.max_fee_per_gas_atoms)
        wanted, needed = max(wanted, least, priority), max(needed, least, priority)
    market = policy.market_multiple * (base_fee_atoms + policy.priority_ceiling_per_gas_atoms)
    ceiling = min(policy.ceiling_per_gas_atoms, market, payable_per_gas_atoms)
    if needed > ceiling:
        raise Stuck(Condition.AT_CEILING, f"{needed} wei per gas are needed, {ceiling} allowed")
    return Fees(min(wanted, ceiling), priority)


def raised(price_atoms: int) -> int:
    """Ten per cent more, rounded up."""
    return -(-price_atoms * 11 // 10)
