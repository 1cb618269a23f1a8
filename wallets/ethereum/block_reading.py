"""A block out of a node's two answers: read, held to its hash, and cut down to what it moved. Pure.

Called by the node set where a scan follows the chain: in a process of its own where there is one
(`reading_processes`), so it imports little, and all that goes in and out can be sent.
"""

from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from runtime.errors import Unavailable
from wallets.contract import Block, BlockRef
from wallets.ethereum.blocks import parse_block
from wallets.ethereum.proofs import check_block


@dataclass(frozen=True, slots=True)
class Answers:
    """What a node said when it was asked for a block of a hash, whole."""

    ref: BlockRef
    block: bytes
    receipts: bytes


def read_answers(answers: Answers, contracts: frozenset[bytes], *, checks_roots: bool) -> Block:
    """The block. Raises Quarantined, Unavailable."""
    block, receipts = result_of(answers.block), result_of(answers.receipts)
    if checks_roots:
        check_block(block, receipts, answers.ref)
    return parse_block(block, receipts, answers.ref, contracts)


def result_of(content: bytes) -> Any:
    """The result in an answer; an error of any kind is none. Raises Unavailable."""
    try:
        # It refuses what nests too deep by itself. Numbers with a fraction become floats, and no
        # value of a block may be one: each is read as text.
        said = from_json(content, cache_strings="keys")
    except ValueError as error:
        raise Unavailable("not JSON") from error
    if not isinstance(said, dict) or said.get("result") is None:
        raise Unavailable("an answer without a block")
    return said["result"]
