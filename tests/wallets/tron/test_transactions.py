"""Transactions of TRON, built here and held against those of a real node."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tronpy.proto import tron_pb2

from wallets.contract import BlockRef
from wallets.errors import Rejected
from wallets.tron.contracts import (
    Contract,
    Delegate,
    Freeze,
    Resource,
    Transfer,
    Trigger,
    Undelegate,
    Unfreeze,
    WithdrawUnfrozen,
    token_transfer,
)
from wallets.tron.transactions import (
    Plan,
    Reference,
    bandwidth_bytes,
    build,
    next_timestamp_ms,
    read,
    reference_of,
    sign,
    transaction_id,
)

OWNER = bytes.fromhex("41debf23f29f4d69d7751ced4d8d7279fe9409fb1c")
TO = bytes.fromhex("419366e317027d3a07bbce7643eb7d7ba7daf8e1ef")
TOKEN = bytes.fromhex("414d9b57cea6d53f472c7451189769d12e456cd8b8")
NOW_MS = 1_795_354_311_000
PLAN = Plan(
    Transfer(OWNER, TO, 1_234_567), Reference(b"\0\x16", b"\2" * 8), NOW_MS, NOW_MS + 60_000
)
OURS = {
    "TransferContract",
    "TriggerSmartContract",
    "FreezeBalanceV2Contract",
    "UnfreezeBalanceV2Contract",
    "DelegateResourceContract",
    "UnDelegateResourceContract",
}


def contract_from_json(kind: str, value: dict[str, Any]) -> Contract:
    """The contract that the node's JSON describes, read without any of the code under test."""
    owner = bytes.fromhex(value["owner_address"])
    resource = Resource[value.get("resource", "BANDWIDTH")]
    if kind == "TransferContract":
        return Transfer(owner, bytes.fromhex(value["to_address"]), value["amount"])
    if kind == "TriggerSmartContract":
        contract = bytes.fromhex(value["contract_address"])
        data = bytes.fromhex(value.get("data", ""))
        return Trigger(owner, contract, data, value.get("call_value", 0))
    if kind == "FreezeBalanceV2Contract":
        return Freeze(owner, value["frozen_balance"], resource)
    if kind == "UnfreezeBalanceV2Contract":
        return Unfreeze(owner, value["unfreeze_balance"], resource)
    receiver = bytes.fromhex(value["receiver_address"])
    if kind == "UnDelegateResourceContract":
        return Undelegate(owner, receiver, value["balance"], resource)
    return Delegate(owner, receiver, value["balance"], resource, value.get("lock_period", 0))


def test_bytes_and_ids_are_those_of_a_real_node(
    recorded_transactions: list[dict[str, Any]],
) -> None:
    kinds = set()
    for recorded in recorded_transactions:
        contract = recorded["raw_data"]["contract"][0]
        limit_sun = recorded["raw_data"].get("fee_limit", 0)
        is_call = contract["type"] == "TriggerSmartContract"
        if contract["type"] not in OURS or recorded.get("visible"):
            continue
        if "ref_block_bytes" not in recorded["raw_data"]:
            # The transaction in the answer to a read: nobody could send it.
            continue
        if is_call and not 0 < limit_sun <= 15_000_000_000:
            # The recording shows that a node builds what it then refuses; we do not.
            continue
        kinds.add(contract["type"])
        data = recorded["raw_data"]
        plan = Plan(
            contract_from_json(contract["type"], contract["parameter"]["value"]),
            Reference(
                bytes.fromhex(data["ref_block_bytes"]), bytes.fromhex(data["ref_block_hash"])
            ),
            data.get("timestamp", 0),
            data["expiration"],
            limit_sun,
            bytes.fromhex(data.get("data", "")),
            contract.get("Permission_id", 0),
        )
        raw = build(plan, data["expiration"] - 1)
        assert raw.hex() == recorded["raw_data_hex"]
        assert transaction_id(raw) == recorded["txID"]
        assert read(raw) == plan
    assert kinds == OURS


def test_bandwidth_is_what_a_real_node_counted(
    recording: Callable[[str], list[dict[str, Any]]],
) -> None:
    counted = 0
    raws = {}
    for call in recording("12-bandwidth"):
        answer = call["response"]
        if "raw_data_hex" in answer:
            raws[answer["txID"]] = bytes.fromhex(answer["raw_data_hex"])
        used = answer.get("receipt", {}).get("net_usage")
        if used:
            assert bandwidth_bytes(raws[answer["id"]], signature_count=1) == used
            counted += 1
    assert counted == 2


@pytest.mark.parametrize(
    "contract",
    [
        Transfer(OWNER, TO, 1),
        token_transfer(OWNER, TOKEN, TO, 2**256 - 1),
        Freeze(OWNER, 1_000_000, Resource.ENERGY),
        Unfreeze(OWNER, 1_000_000, Resource.BANDWIDTH),
        WithdrawUnfrozen(OWNER),
        Delegate(OWNER, TO, 1_000_000, Resource.ENERGY, 100),
        Delegate(OWNER, TO, 1_000_000, Resource.BANDWIDTH),
        Undelegate(OWNER, TO, 1_000_000, Resource.ENERGY),
    ],
)
def test_every_kind_is_read_back_as_it_was_built(contract: Contract) -> None:
    limit_sun = 1 if isinstance(contract, Trigger) else 0
    plan = replace(PLAN, contract=contract, fee_limit_sun=limit_sun, memo=b"memo", permission_id=2)
    assert read(build(plan, NOW_MS)) == plan


def test_memo_and_permission_are_part_of_the_id() -> None:
    plans = [PLAN, replace(PLAN, memo=b"a"), replace(PLAN, permission_id=2)]
    assert len({transaction_id(build(plan, NOW_MS)) for plan in plans}) == 3


def test_equal_payouts_in_one_millisecond_have_distinct_ids() -> None:
    last_ms, ids = 0, set()
    for _ in range(1_000):
        last_ms = next_timestamp_ms(NOW_MS, last_ms)
        ids.add(transaction_id(build(replace(PLAN, timestamp_ms=last_ms), NOW_MS)))
    assert len(ids) == 1_000


def test_a_clock_of_the_chain_that_steps_back_repeats_no_timestamp() -> None:
    assert next_timestamp_ms(NOW_MS - 1_000, NOW_MS) == NOW_MS + 1
    with pytest.raises(Rejected, match="TOO_MANY_PAYOUTS"):
        next_timestamp_ms(NOW_MS - 3_600_000, NOW_MS)


def test_the_reference_is_of_the_named_block() -> None:
    block_hash = (0x12345).to_bytes(8).hex() + "ab" * 24
    assert reference_of(BlockRef(0x12345, block_hash), 0x12345 + 20) == Reference(
        b"\x23\x45", b"\xab" * 8
    )


@pytest.mark.parametrize(
    ("block", "head", "reason"),
    [
        (BlockRef(1, (1).to_bytes(8).hex() + "00" * 24), 65_537, "REFERENCE_TOO_OLD"),
        (BlockRef(2, (2).to_bytes(8).hex() + "00" * 24), 1, "REFERENCE_TOO_OLD"),
        (BlockRef(2, (1).to_bytes(8).hex() + "00" * 24), 3, "MALFORMED"),
        (BlockRef(2, "zz"), 3, "MALFORMED"),
        (BlockRef(2, ""), 3, "MALFORMED"),
    ],
)
def test_a_block_that_cannot_be_the_reference_is_refused(
    block: BlockRef, head: int, reason: str
) -> None:
    with pytest.raises(Rejected, match=reason):
        reference_of(block, head)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expiration_ms": NOW_MS}, "INVALID_EXPIRATION"),
        ({"expiration_ms": NOW_MS + 24 * 3_600_000 + 1}, "INVALID_EXPIRATION"),
        ({"fee_limit_sun": 1}, "INVALID_FEE_LIMIT"),
        ({"contract": token_transfer(OWNER, TOKEN, TO, 1)}, "INVALID_FEE_LIMIT"),
        ({"memo": bytes(513)}, "MEMO_TOO_LONG"),
        ({"permission_id": 10}, "INVALID_PERMISSION"),
        ({"contract": Transfer(OWNER, TO, 0)}, "INVALID_AMOUNT"),
        ({"contract": Transfer(OWNER, TO, 2**63)}, "INVALID_AMOUNT"),
        ({"contract": Transfer(OWNER, TO[1:], 1)}, "INVALID_ACCOUNT"),
        ({"contract": Freeze(OWNER, 0, Resource.ENERGY)}, "INVALID_AMOUNT"),
        ({"reference": Reference(b"", b"")}, "MALFORMED"),
    ],
)
def test_a_plan_that_no_chain_would_take_is_refused_by_name(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Rejected, match=reason):
        build(replace(PLAN, **change), NOW_MS)


@pytest.mark.parametrize("amount_atoms", [0, -1, 2**256])
def test_a_token_amount_outside_a_word_is_refused(amount_atoms: int) -> None:
    with pytest.raises(Rejected, match="INVALID_AMOUNT"):
        token_transfer(OWNER, TOKEN, TO, amount_atoms)


def test_bytes_that_say_more_than_is_understood_are_refused() -> None:
    raw = build(PLAN, NOW_MS)
    assert read(raw) == PLAN
    message = tron_pb2.Transaction.raw.FromString(raw)
    message.scripts = b"hidden"
    for changed in (message.SerializeToString(), raw + b"\xf8\x07\x01", b"\xff", b""):
        with pytest.raises(Rejected, match="MALFORMED"):
            read(changed)


def test_a_change_of_permissions_has_no_reading() -> None:
    message = tron_pb2.Transaction.raw.FromString(build(PLAN, NOW_MS))
    message.contract[
        0
    ].parameter.type_url = "type.googleapis.com/protocol.AccountPermissionUpdateContract"
    with pytest.raises(Rejected, match="UNKNOWN_CONTRACT_TYPE"):
        read(message.SerializeToString())


def test_a_signed_transaction_carries_the_same_bytes() -> None:
    raw = build(PLAN, NOW_MS)
    whole = tron_pb2.Transaction.FromString(sign(raw, [bytes(65), bytes(65)]))
    assert whole.raw_data.SerializeToString() == raw
    assert len(whole.signature) == 2
    for signatures in ([], [bytes(64)]):
        with pytest.raises(Rejected, match="MALFORMED"):
            sign(raw, signatures)
