"""What nodes say of accounts, prices and energy, before a payout is built.

Called by the adapter. Balances are of the solid state, as much as enough nodes confirm; prices and
estimates are one node's word, which the fee's ceiling bounds.
"""

from dataclasses import dataclass
from typing import Any, Final

from wallets.errors import Condition, Quarantined, Stuck
from wallets.tron.contracts import Resource
from wallets.tron.node import FULL, SOLID
from wallets.tron.node_set import NodeSet
from wallets.tron.permissions import Permission, permissions_of
from wallets.tron.planner import Prices, Stock
from wallets.tron.staking import Stake
from wallets.tron.wire import HASH_BYTES, data, fields, items, number

CONSTANT: Final = "triggerconstantcontract"
SUN_PER_TRX: Final = 1_000_000
ENERGY: Final = "ENERGY"


async def read_balance(nodes: NodeSet, account: bytes) -> int:
    """Solid TRX in sun; an account that does not exist has none. Raises Unavailable."""
    body = {"address": account.hex()}
    return await nodes.reached(
        SOLID + "getaccount", body, lambda answer: number(fields(answer).get("balance"))
    )


async def exists(nodes: NodeSet, account: bytes) -> bool:
    """Whether a node knows an account; without, paying it costs more. Raises Unavailable."""
    return bool(await nodes.any_answer(FULL + "getaccount", {"address": account.hex()}))


async def read_token(nodes: NodeSet, contract: bytes, account: bytes) -> int:
    """Solid atoms of a token. Raises Unavailable."""
    body = call_of(account, contract, "balanceOf(address)", account[1:].rjust(32, b"\0"))
    return await nodes.reached(SOLID + CONSTANT, body, lambda answer: int.from_bytes(word(answer)))


async def agreed_balance(nodes: NodeSet, account: bytes) -> int | None:
    """Solid sun as enough nodes tell it alike; None while they do not. Raises Unavailable."""
    body = {"address": account.hex()}
    return await nodes.agreed(
        SOLID + "getaccount", body, lambda answer: number(fields(answer).get("balance"))
    )


async def agreed_token(nodes: NodeSet, contract: bytes, account: bytes) -> int | None:
    """Solid atoms as enough nodes tell them alike; None while they do not. Raises Unavailable."""
    body = call_of(account, contract, "balanceOf(address)", account[1:].rjust(32, b"\0"))
    return await nodes.agreed(SOLID + CONSTANT, body, lambda answer: int.from_bytes(word(answer)))


async def read_permissions(nodes: NodeSet, account: bytes) -> tuple[Permission, ...]:
    """Those that enough nodes tell alike of the solid state. Raises Stuck, Unavailable."""
    found = await nodes.agreed(SOLID + "getaccount", {"address": account.hex()}, permissions_of)
    if found is None:
        raise Stuck(Condition.NODES_DISAGREE, "nodes tell an account's permissions differently")
    return found


async def estimate(
    nodes: NodeSet, owner: bytes, contract: bytes, to: bytes, amount_atoms: int
) -> int:
    """Energy of a transfer run now, penalty included. Raises Stuck when it would fail."""
    words = to[1:].rjust(32, b"\0") + amount_atoms.to_bytes(32)
    body = call_of(owner, contract, "transfer(address,uint256)", words)
    try:
        told = fields(await nodes.any_answer(FULL + CONSTANT, body))
        result = fields(told.get("result"))
        if result.get("result") is not True or result.get("message"):
            # Paused, banned, or too little: it would cost energy and pay nobody.
            raise Stuck(Condition.ASSET_SUSPENDED, "a trial run of the token's transfer fails")
        return number(told.get("energy_used"))
    except Quarantined as error:
        raise Stuck(Condition.NODES_DISAGREE, str(error)) from error


async def read_prices(nodes: NodeSet) -> Prices:
    """What the chain asks now. Raises Stuck, Unavailable."""
    try:
        told = await nodes.parameters()
        found = {
            str(fields(one).get("key")): fields(one).get("value")
            for one in items(told.get("chainParameter"))
        }
        return Prices(
            number(found["getEnergyFee"]),
            number(found["getTransactionFee"]),
            number(found["getCreateNewAccountFeeInSystemContract"]),
            number(found["getCreateAccountFee"]),
            number(found.get("getMemoFee")),
            number(found.get("getMultiSignFee")),
        )
    except (Quarantined, KeyError) as error:
        raise Stuck(Condition.NODES_DISAGREE, f"no prices: {error}") from error


@dataclass(frozen=True, slots=True)
class Resources:
    """What an account may use without burning, and how the whole chain's energy is shared out."""

    energy: int
    staked_bandwidth_bytes: int
    free_bandwidth_bytes: int
    # Energy of the whole chain per day, and the TRX that are staked for it.
    energy_total: int
    weight_total_trx: int

    def energy_of(self, sun: int) -> int:
        """Energy per day of staked sun, rounded down."""
        return sun * self.energy_total // (self.weight_total_trx * SUN_PER_TRX or 1)

    def sun_of(self, energy: int) -> int:
        """Stake that gives at least so much energy, and is enough for the chain to lend."""
        weight_sun = self.weight_total_trx * SUN_PER_TRX
        return max(SUN_PER_TRX, -(-energy * weight_sun // (self.energy_total or 1)))

    def need_of(self, energy: int) -> int:
        """Stake for so much energy; none for none."""
        return self.sun_of(energy) if energy else 0


async def read_resources(nodes: NodeSet, account: bytes) -> Resources:
    """Of one account; nothing when it does not exist. Raises Stuck, Unavailable."""
    try:
        told = fields(
            await nodes.any_answer(FULL + "getaccountresource", {"address": account.hex()})
        )
        return Resources(
            left(told, "EnergyLimit", "EnergyUsed"),
            left(told, "NetLimit", "NetUsed"),
            left(told, "freeNetLimit", "freeNetUsed"),
            number(told.get("TotalEnergyLimit")),
            number(told.get("TotalEnergyWeight")),
        )
    except Quarantined as error:
        raise Stuck(Condition.NODES_DISAGREE, str(error)) from error


async def read_stock(nodes: NodeSet, account: bytes, balance_sun: int) -> Stock:
    """Energy and bandwidth beside TRX that was read; nothing is lent to it yet. Raises Stuck."""
    found = await read_resources(nodes, account)
    return Stock(
        balance_sun,
        found.energy,
        found.staked_bandwidth_bytes,
        found.free_bandwidth_bytes,
        delegable_energy=0,
        delegation_sun=0,
        rental_sun=None,
    )


async def read_lendable(nodes: NodeSet, account: bytes) -> int:
    """Sun of an account's stake for energy that it could lend now. Raises Stuck, Unavailable."""
    body = {"owner_address": account.hex(), "type": int(Resource.ENERGY)}
    try:
        told = fields(await nodes.any_answer(FULL + "getcandelegatedmaxsize", body))
        return number(told.get("max_size"))
    except Quarantined as error:
        raise Stuck(Condition.NODES_DISAGREE, str(error)) from error


async def read_stake(nodes: NodeSet, account: bytes) -> Stake | None:
    """What is staked for energy, as enough nodes tell it alike. Raises Unavailable."""
    return await nodes.agreed(SOLID + "getaccount", {"address": account.hex()}, stake_of)


def stake_of(answer: object) -> Stake:
    """Out of an account. Raises Quarantined."""
    told = fields(answer)
    staked = [one for one in items(told.get("frozenV2")) if fields(one).get("type") == ENERGY]
    free_sun = sum(number(one.get("amount")) for one in staked)
    lent = fields(told.get("account_resource", {})).get("delegated_frozenV2_balance_for_energy")
    leaving = tuple(
        (number(fields(one).get("unfreeze_amount")), number(one.get("unfreeze_expire_time")))
        for one in items(told.get("unfrozenV2"))
    )
    return Stake(free_sun + number(lent), free_sun, leaving)


@dataclass(frozen=True, slots=True)
class Lent:
    """Sun of stake whose energy another account uses, and what of it may be taken back now."""

    sun: int
    free_sun: int


async def read_loan(nodes: NodeSet, lender: bytes, receiver: bytes, now_ms: int) -> Lent | None:
    """What is lent, as enough nodes tell it alike. Raises Unavailable."""
    body = {"fromAddress": lender.hex(), "toAddress": receiver.hex()}

    def read(answer: object) -> Lent:
        loans = [fields(one) for one in items(fields(answer).get("delegatedResource"))]
        lent = [
            (
                number(one.get("frozen_balance_for_energy")),
                number(one.get("expire_time_for_energy")),
            )
            for one in loans
        ]
        free_sun = sum(sun for sun, until_ms in lent if until_ms <= now_ms)
        return Lent(sum(sun for sun, _ in lent), free_sun)

    return await nodes.agreed(SOLID + "getdelegatedresourcev2", body, read)


def left(told: dict[str, Any], limit: str, used: str) -> int:
    """What of a resource is not used up."""
    return max(0, number(told.get(limit)) - number(told.get(used)))


def call_of(owner: bytes, contract: bytes, function: str, words: bytes) -> dict[str, object]:
    """A call that changes nothing, as nodes are asked."""
    return {
        "owner_address": owner.hex(),
        "contract_address": contract.hex(),
        "function_selector": function,
        "parameter": words.hex(),
    }


def word(answer: object) -> bytes:
    """The one word that a call returned. Raises Quarantined."""
    results = items(fields(answer).get("constant_result"))
    return data(results[0] if results else None, HASH_BYTES)
