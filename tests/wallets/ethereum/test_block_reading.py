"""What a node answers when it is asked for a block and has none to give."""

import json

import pytest

from runtime.errors import Unavailable
from tests.wallets.ethereum.told import CUSTOMER, HASHES, block_of, receipt_of, transaction
from wallets.contract import BlockRef
from wallets.errors import Quarantined
from wallets.ethereum.block_reading import Answers, read_answers, result_of
from wallets.ethereum.proofs import FalseBlock

REF = BlockRef(3, HASHES[3])


def answer(result: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


BLOCK = answer(block_of(3, [transaction(5)]))
RECEIPTS = answer([receipt_of(3)])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'{"id":1,"result":null}',
        b'{"id":1,"error":{"code":-32000,"message":"pruned"}}',
        b'{"id":1,"result":',
        b"\xff",
        b'{"id":1,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id":1,"result":' + b"9" * 100_000 + b"}",
    ],
)
def test_an_answer_without_a_result_is_no_block(content: bytes) -> None:
    with pytest.raises(Unavailable):
        result_of(content)


def test_a_block_is_what_it_moved() -> None:
    answers = Answers(REF, BLOCK, RECEIPTS)
    block = read_answers(answers, frozenset(), checks_roots=False)
    assert block.ref == REF
    paid = [(move.key, move.amount_atoms) for move in block.movements]
    assert paid == [(bytes.fromhex(CUSTOMER[2:]), 5)]


@pytest.mark.parametrize("told", [5, 1.5, "text", True, [], {}])
def test_a_result_of_another_kind_is_the_nodes_fault(told: object) -> None:
    for answers in (Answers(REF, answer(told), RECEIPTS), Answers(REF, BLOCK, answer(told))):
        for checks_roots in (True, False):
            with pytest.raises(Quarantined):
                read_answers(answers, frozenset(), checks_roots=checks_roots)


def test_a_block_that_does_not_hash_up_to_its_name_is_false() -> None:
    with pytest.raises(FalseBlock):
        read_answers(Answers(REF, BLOCK, RECEIPTS), frozenset(), checks_roots=True)
