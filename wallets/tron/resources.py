"""What nodes say of accounts, prices and energy, before a payout is built.

Called by the adapter. Balances are of the solid state, as much as enough nodes confirm; prices and
estimates are one node's word, which the fee's ceiling bounds.
"""

from typing import Any

from wallets.errors import Condition, Quarantined, Stuck
from wallets.tron.node import FULL, SOLID
from wallets.tron.node_set import NodeSet
from wallets.tron.planner import Prices, Stock
from wallets.tron.wire import HASH_BYTES, data, fields, items, number

CONSTANT = "triggerconstantcontract"


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
        told = fields(await nodes.any_answer(FULL + "getchainparameters", {}))
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
        )
    except (Quarantined, KeyError) as error:
        raise Stuck(Condition.NODES_DISAGREE, f"no prices: {error}") from error


async def read_stock(nodes: NodeSet, account: bytes) -> Stock:
    """TRX, energy and bandwidth of an account; nothing is lent to it yet. Raises Stuck."""
    try:
        told = fields(
            await nodes.any_answer(FULL + "getaccountresource", {"address": account.hex()})
        )
        return Stock(
            await read_balance(nodes, account),
            left(told, "EnergyLimit", "EnergyUsed"),
            left(told, "NetLimit", "NetUsed"),
            left(told, "freeNetLimit", "freeNetUsed"),
            delegable_energy=0,
            delegation_sun=0,
            rental_sun=None,
        )
    except Quarantined as error:
        raise Stuck(Condition.NODES_DISAGREE, str(error)) from error


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
