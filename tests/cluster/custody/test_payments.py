"""Money in flight on a real cluster: through the edge, real workers, signer, approver, a real node.

Images cambist-SERVICE:TAG and cambist-test-node:TAG must be in the cluster. The tests need each
other's order: every one leaves a venue whose books are right.
"""

import json

import pytest

from tests.cluster.custody import node, paying
from tests.cluster.custody.installed import WORKERS, Custody
from tests.cluster.custody.paying import Customer
from tests.cluster.operator.waiting import until
from tests.cluster.venue import READY_SECONDS, run

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

PAYS_SECONDS = 60.0
HUNG_SECONDS = 120.0
NAMED_SECONDS = 60.0
SHRINK_SECONDS = 120.0
# Beyond those of the load.
FIRST, SUSPENDED, LATER = 300, 305, 310
SIGNER, APPROVER, SERVICE = (
    f"app.kubernetes.io/component={name}" for name in ("signer", "approver", "custody")
)
SUSPENDED_BLOCKS = 8
DEPTH = """
select (select max(height) from custody.block) - max(block_height) from custody.deposit
where state = 'confirming'
"""
OF_CUSTODY = "app.kubernetes.io/component in (signer,approver,custody,worker)"


@pytest.fixture(scope="module")
def customer(custody: Custody) -> Customer:
    return Customer(custody)


def pay_in(customer: Customer) -> None:
    account = node.call(customer.venue, "eth_accounts")[0]
    fields = {"from": account, "to": customer.address, "value": hex(10**18)}
    node.call(customer.venue, "eth_sendTransaction", fields)


def test_a_deposit_is_credited_and_a_withdrawal_is_paid_through_the_edge(
    customer: Customer,
) -> None:
    pay_in(customer)
    took = until(lambda: customer.states("deposits") == {"withdrawable"}, PAYS_SECONDS)
    print(f"credited after {took:.1f} s")
    customer.run("withdraw", str(FIRST), "1")
    took = until(lambda: customer.states("withdrawals") == {"settled"}, PAYS_SECONDS)
    print(f"paid after {took:.1f} s")
    paying.check_books(customer)


def shrink_after_growth(custody: Custody) -> None:
    """One more worker is wanted, then no more: it is drained with payments under way."""
    for count in (2, 1):
        change = json.dumps({"spec": {"scaling": {"minReplicas": count, "maxReplicas": count}}})
        custody.kubectl("patch", "walletchain", "eth", "--type=merge", "--patch", change)
        wait_workers(custody, count)


def wait_workers(custody: Custody, count: int) -> None:
    until(lambda: custody.replicas() == count, SHRINK_SECONDS)
    until(lambda: custody.ready_workers() == count, READY_SECONDS)


def drain_node(custody: Custody) -> None:
    """All pods of custody go, and come back when pods may run there again."""
    gone = {one["metadata"]["uid"] for one in custody.pods(OF_CUSTODY)}
    (name,) = run("kubectl", "get", "nodes", "--output", "name").split()
    node_name = name.partition("/")[2]
    given = ("--pod-selector", OF_CUSTODY, "--delete-emptydir-data", "--ignore-daemonsets")
    try:
        run("kubectl", "drain", node_name, *given, "--timeout=120s")
    finally:
        run("kubectl", "uncordon", node_name)
    paying.wait_others(custody, OF_CUSTODY, gone)


def restart_hung_signer(custody: Custody) -> None:
    """A process that hangs is started anew by its probe."""
    (signer,) = custody.pods(SIGNER)
    paying.hang(signer)

    def is_anew() -> bool:
        (found,) = custody.pods(SIGNER)
        (status,) = found["status"]["containerStatuses"]
        return bool(status["restartCount"] == 1 and status["ready"])

    took = until(is_anew, HUNG_SECONDS)
    print(f"a signer that hung served again after {took:.1f} s")


def test_what_happens_to_pods_neither_loses_nor_doubles_a_payment(
    custody: Custody, customer: Customer
) -> None:
    """Eviction, death, a drained node, fewer workers, a signer that hangs: payments go on."""
    with customer.start("load", customer.address) as load:
        worker = custody.workers()[0]
        paying.evict(custody, worker["metadata"]["name"])
        paying.wait_others(custody, WORKERS, {worker["metadata"]["uid"]})
        for selector in (WORKERS, SIGNER, APPROVER, SERVICE):
            paying.kill(custody, selector)
        with custody.watching_annotations() as seen:
            shrink_after_growth(custody)
        assert "cambist.dev/drain" in seen.read_text("utf-8")
        drain_node(custody)
        restart_hung_signer(custody)
        customer.stop_load()
        assert load.stdout
        told = json.loads(load.stdout.read().splitlines()[-1])
    print(f"{told['paid_in']} deposits, {len(told['withdrawals'])} withdrawals")
    assert len(told["withdrawals"]) > 20
    paying.wait_settled(customer)
    sees = customer.sees()
    # One more of each is that of the test before.
    assert len(sees["deposits"]) == told["paid_in"] + 1
    asked = {one[0] for one in sees["withdrawals"]}
    assert set(told["withdrawals"]) < asked
    assert len(asked) == len(sees["withdrawals"]) == len(told["withdrawals"]) + 1
    paying.check_books(customer)


def suspend(custody: Custody, is_suspended: bool) -> None:
    """Both sides; returns when the workers of before are gone."""
    gone = {one["metadata"]["uid"] for one in custody.workers()}
    sides = {"deposits": is_suspended, "withdrawals": is_suspended}
    change = json.dumps({"spec": {"suspend": sides}})
    custody.kubectl("patch", "walletchain", "eth", "--type=merge", "--patch", change)
    until(lambda: gone.isdisjoint(uids(custody)), READY_SECONDS)
    custody.wait_chain()


def uids(custody: Custody) -> set[str]:
    """Of all workers, also of those that are going."""
    found = custody.get("pods", "--selector", WORKERS)["items"]
    return {one["metadata"]["uid"] for one in found}


def test_while_a_chain_is_suspended_nothing_begins_and_afterwards_all_is_done(
    custody: Custody, customer: Customer
) -> None:
    suspend(custody, True)
    assert custody.condition("WithdrawalsEnabled")["reason"] == "Suspended"
    pay_in(customer)
    customer.run("withdraw", str(SUSPENDED), "1")
    until(lambda: customer.states("deposits") == {"confirming", "withdrawable"}, NAMED_SECONDS)
    until(lambda: customer.states("withdrawals") == {"requested", "settled"}, NAMED_SECONDS)
    # Blocks are followed: deep enough for a credit long ago, and still none.
    until(lambda: int(custody.sql(DEPTH)) > SUSPENDED_BLOCKS, NAMED_SECONDS)
    assert customer.states("deposits") == {"confirming", "withdrawable"}
    assert customer.states("withdrawals") == {"requested", "settled"}
    suspend(custody, False)
    paying.wait_settled(customer)
    paying.check_books(customer)


def restarts(custody: Custody) -> int:
    return sum(
        status["restartCount"]
        for pod in custody.workers()
        for status in pod["status"].get("containerStatuses", [])
    )


def test_a_node_that_is_away_is_named_and_a_deleted_chain_keeps_its_withdrawals(
    custody: Custody, customer: Customer
) -> None:
    before = restarts(custody)
    custody.kubectl("delete", "pod", "node", "--grace-period=0", "--force")
    until(
        lambda: custody.condition("NodesSynced").get("reason") == "NodeUnreachable", NAMED_SECONDS
    )
    assert custody.condition("NodesSynced")["status"] == "False"
    customer.run("withdraw", str(LATER), "3")
    until(lambda: custody.chain()["status"].get("backlog", 0) > 0, NAMED_SECONDS)
    assert restarts(custody) == before

    custody.kubectl("delete", "walletchain", "eth")
    until(lambda: "WithdrawalsUnderWay" in custody.kubectl("get", "events"), NAMED_SECONDS)
    until(lambda: not custody.workers(), SHRINK_SECONDS)
    states = [one[-1] for one in customer.sees()["withdrawals"]]
    assert len([state for state in states if state != "settled"]) == 3


def test_an_uninstall_drains_the_workers_and_names_what_is_kept(custody: Custody) -> None:
    """The last test of the venue. Its node is away, so nobody waits until workers are ready."""
    custody.set_chain("--set", "wallets.waitSeconds=0")
    until(lambda: len(custody.workers()) == 1, NAMED_SECONDS)
    said = custody.helm("uninstall", "venue", "--wait")
    assert "WalletChain eth: workers 0" in said
    assert "kept: the seeds: Secret seeds" in said
    assert "Whoever loses them loses the coins" in said
    assert custody.names("walletchains,deployments") == set()
    assert "Secret/seeds" in custody.names("secrets")
