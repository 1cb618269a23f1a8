"""The signer's seeds out of a Vault, and rights in the database, on a real cluster.

The image cambist-test-vault:TAG must be in the cluster. The venue is left as it was.
"""

from pathlib import Path

import pytest

from tests.cluster.custody import roles, vault
from tests.cluster.custody.installed import Custody
from tests.cluster.operator.waiting import until
from tests.cluster.venue import READY_SECONDS, finish

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

ENDS_SECONDS = 60.0
SIGNER = "app.kubernetes.io/component=signer"
CHANGES = """
import asyncio, asyncpg, os, sys
async def main():
    connection = await asyncpg.connect(os.environ["CAMBIST_WALLETS_POSTGRES_DSN"])
    for statement in sys.argv[1:]:
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            print("refused")
        else:
            print("done")
asyncio.run(main())
"""


def test_each_service_is_logged_in_as_its_own_role_and_nobody_as_the_owner(
    custody: Custody,
) -> None:
    wanted = {f"cambist_{name}" for name in roles.SERVICES}
    until(lambda: roles.connected(custody) == wanted, ENDS_SECONDS)


def test_a_service_changes_rows_of_its_own_and_neither_schemas_nor_those_of_others(
    custody: Custody,
) -> None:
    statements = (
        "update custody.payout set state = state where false",
        "alter table custody.payout add column another integer",
        "select from signer.entry",
        "select from identity.session",
        "create table custody.another ()",
    )
    pod = ("deployment/venue-custody", "--container", "custody", "--")
    said = custody.kubectl("exec", *pod, "python", "-c", CHANGES, *statements)
    assert said.split() == ["done", *["refused"] * 4]


def ready_signer(custody: Custody) -> str:
    """Its pod, when there is just one and it is ready; else nothing."""
    pods = custody.pods(SIGNER)
    ready = [
        pod["metadata"]["name"]
        for pod in pods
        for one in pod.get("status", {}).get("conditions", [])
        if (one["type"], one["status"]) == ("Ready", "True")
    ]
    return ready[0] if len(pods) == 1 and ready else ""


def last_words(custody: Custody) -> str:
    """What the newest signer's program logged, also when it has ended."""
    which = ("--selector", SIGNER, "--container", "signer", "--tail=20")
    # Before its container is made there is no log, which kubectl calls a failure.
    return finish("kubectl", "--namespace", custody.namespace, "logs", *which).stdout


def test_the_signer_opens_its_seeds_by_a_vault_and_does_not_start_without_it(
    custody: Custody, tmp_path: Path
) -> None:
    vault.start(custody, tmp_path)
    custody.set_chain(*vault.SETTINGS)
    custody.wait_ready()
    (worker,) = custody.workers()
    pod = f"pod/{worker['metadata']['name']}"
    assert custody.ask(pod, "wallets", "venue-signer:7301") == "ok"
    spec = custody.get("deployment", "venue-signer")["spec"]["template"]["spec"]
    told = {one["name"] for one in spec["containers"][0]["env"]}
    assert "CAMBIST_SIGNER_PASSPHRASE_FILE" not in told

    # A token that was taken back: the next start is refused, and says by whom.
    vault.revoke(custody)
    custody.kubectl("delete", "pod", "--selector", SIGNER)
    until(lambda: "vault: refused to decrypt" in last_words(custody), ENDS_SECONDS)
    assert ready_signer(custody) == ""

    # Back to files under a passphrase, as the tests after this one have it.
    custody.set_chain()
    custody.wait_ready()
    until(lambda: ready_signer(custody) != "", READY_SECONDS)
