"""Custody of the chart on a real cluster, with a real node: certificates, policies, scaling.

Images cambist-SERVICE:TAG and cambist-test-node:TAG must be in the cluster.
"""

import pytest

from tests.cluster.custody.installed import Custody
from tests.cluster.operator.waiting import until
from tests.cluster.venue import READY_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GROW_SECONDS = 30.0
SHRINK_SECONDS = 120.0
PAYOUTS = """
set custody.actor = 'test';
insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, network_id,
    asset_id, destination_text, amount_atoms, engine_amount_atoms, engine_fee_atoms, state)
select decode(lpad(to_hex(n), 32, '0'), 'hex'), 'customer', 1, 0, 1, 2, 1,
    '0x000000000000000000000000000000000000dEaD', 10000000000, 1, 0, 'requested'
from generate_series(1, {count}) n
on conflict do nothing
"""
MADE_UP = "journal_seq = 0"


def test_a_worker_reports_and_calls_signer_and_approver_by_its_certificate(
    custody: Custody,
) -> None:
    until(lambda: custody.condition("SignalFresh").get("status") == "True")
    (worker,) = custody.workers()
    pod = f"pod/{worker['metadata']['name']}"
    for address in ("venue-signer:7301", "venue-approver:7302"):
        assert custody.ask(pod, "wallets", address) == "ok"
        # Without a certificate there is no connection.
        assert custody.ask(pod, "", address) == "UNAVAILABLE"


def test_nobody_else_reaches_the_signer(custody: Custody) -> None:
    """The approver has a certificate of the same authority; the network stops it."""
    reached = custody.ask("deployment/venue-approver", "approver", "venue-signer:7301")
    assert reached in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_a_backlog_brings_a_second_worker_and_an_empty_one_is_drained(custody: Custody) -> None:
    """The journal does not know these payouts, so the approver lets them wait: none is paid."""
    custody.sql(PAYOUTS.format(count=2_000))
    took = until(lambda: custody.replicas() == 2, GROW_SECONDS)
    ready = until(lambda: custody.ready_workers() == 2, READY_SECONDS)
    print(f"second worker wanted after {took:.1f} s, ready {ready:.1f} s later")
    asked = "select count(*) from custody.payout where condition = 'ApprovalMissing'"
    until(lambda: int(custody.sql(asked)) > 0, GROW_SECONDS)
    moved = f"select count(*) from custody.payout where {MADE_UP} and state <> 'requested'"
    assert custody.sql(moved) == "0"
    with custody.watching_annotations() as seen:
        custody.sql(f"update custody.payout set not_before = 'infinity' where {MADE_UP}")
        took = until(lambda: custody.replicas() == 1, SHRINK_SECONDS)
        until(lambda: len(custody.workers()) == 1, SHRINK_SECONDS)
    print(f"drained to one worker in {took:.1f} s")
    assert "cambist.dev/drain" in seen.read_text("utf-8")
