"""What a token's contract is asked: balance, decimals, and whether an answer is a refusal.

Called by the adapter, and by whoever lists a token. A token that is not what it was listed as, or
that answers oddly, is suspended by name; the chain goes on.
"""

from typing import Final

from wallets.contract import BlockRef, Token
from wallets.errors import Condition, Quarantined, Rejected, Stuck
from wallets.ethereum.addresses import text_of
from wallets.ethereum.blocks import ADDRESS_PAD
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.wire import HASH_BYTES, data
from wallets.json_rpc import NodeRefused

BALANCE_OF: Final = bytes.fromhex("70a08231")
DECIMALS: Final = bytes.fromhex("313ce567")


def is_refusal(answer: bytes) -> bool:
    """Whether `transfer` said no. No word at all, as of USDT, is a yes; so is the number 1."""
    return len(answer) > 0 and int.from_bytes(answer[:HASH_BYTES]) != 1


async def read_balance(nodes: NodeSet, contract: bytes, account: bytes, tip: BlockRef) -> int:
    """Tokens of an account. Raises Stuck(ASSET_SUSPENDED), Unavailable."""
    word = await ask(nodes, contract, BALANCE_OF + ADDRESS_PAD + account, tip)
    return int.from_bytes(word)


async def check_token(nodes: NodeSet, token: Token, tip: BlockRef) -> None:
    """Whether a contract is there and has the decimals we list. Raises Rejected, Unavailable."""
    code = await nodes.agreed_answer("eth_getCode", text_of(token.contract), hex(tip.height))
    if code in (None, "0x"):
        raise Rejected("NO_CONTRACT", f"nothing at {text_of(token.contract)}")
    try:
        decimals = int.from_bytes(await ask(nodes, token.contract, DECIMALS, tip))
    except Stuck as error:
        raise Rejected("NO_DECIMALS", str(error)) from error
    if decimals != token.decimals:
        raise Rejected("DECIMALS_DIFFER", f"{decimals}, listed as {token.decimals}")


async def ask(nodes: NodeSet, contract: bytes, call: bytes, tip: BlockRef) -> bytes:
    """One word that enough nodes answer. Raises Stuck(ASSET_SUSPENDED), Unavailable."""
    asked = {"to": text_of(contract), "data": "0x" + call.hex()}
    try:
        return data(await nodes.agreed_answer("eth_call", asked, hex(tip.height)), HASH_BYTES)
    except (NodeRefused, Quarantined) as error:
        raise Stuck(Condition.ASSET_SUSPENDED, f"{text_of(contract)} answers oddly") from error
