"""A release of the chart in a namespace of its own, for tests on a real cluster."""

import json
import os
import secrets
import subprocess
from typing import Any, Final

TAG: Final = os.environ.get("CAMBIST_TEST_IMAGE_TAG", "dev")
SETTINGS: Final = ["--set", f"image.tag={TAG}", "--set", "crds.install=false"]
READY_SECONDS: Final = 180
COMMAND_SECONDS: Final = 150
# Before and after a release Jobs of the chart wait for pods.
HELM_SECONDS: Final = 330


def run(*command: str, seconds: int = COMMAND_SECONDS, text: str | None = None) -> str:
    """What a command said; fails with all of it when the command does."""
    done = finish(*command, seconds=seconds, text=text)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def finish(
    *command: str, seconds: int = COMMAND_SECONDS, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that has ended, well or not."""
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=seconds
    )


class Venue:
    """A release in a namespace that takes restricted pods only."""

    def __init__(self) -> None:
        self.namespace = f"venue-{secrets.token_hex(3)}"
        run("kubectl", "create", "namespace", self.namespace)
        label = "pod-security.kubernetes.io/enforce=restricted"
        run("kubectl", "label", "namespace", self.namespace, label)

    def helm(self, *arguments: str, seconds: int = HELM_SECONDS) -> str:
        """What it said, and its hooks, whose words it writes to standard error."""
        command = ("helm", *arguments, "--namespace", self.namespace)
        done = finish(*command, seconds=seconds)
        said = f"{done.stdout}{done.stderr}"
        assert done.returncode == 0, f"{' '.join(command)}\n{said}"
        return said

    def helm_refuses(self, *arguments: str) -> str:
        """What it said; fails when it took them."""
        done = finish("helm", *arguments, "--namespace", self.namespace, seconds=HELM_SECONDS)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        return run("kubectl", "--namespace", self.namespace, *arguments, text=text)

    def apply(self, *documents: dict[str, Any]) -> None:
        """Creates or changes objects."""
        content = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl("apply", "--filename", "-", text=json.dumps(content))

    def get(self, kind: str, *which: str) -> dict[str, Any]:
        """One object, or a list by selector."""
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, *which, "--output", "json"))
        return found

    def sql(self, statement: str) -> str:
        """What the evaluation database answers: one row a line, fields apart by bars."""
        shell = 'PGPASSWORD=$PASSWORD exec psql -qtA -h /tmp -U cambist -d cambist -c "$0"'
        pod = ("exec", "venue-postgres-0", "--container", "postgres", "--")
        return self.kubectl(*pod, "sh", "-c", shell, statement).strip()

    def trade(self) -> str:
        """`helm test`; what its pod said."""
        return self.helm("test", "venue", "--logs", "--timeout", "120s")

    def names(self, kinds: str) -> set[str]:
        return {f"{one['kind']}/{one['metadata']['name']}" for one in self.get(kinds)["items"]}

    def wait_ready(self) -> None:
        """Every long-lived workload is rolled out."""
        for name in sorted(self.names("deployments,statefulsets")):
            self.kubectl("rollout", "status", name, f"--timeout={READY_SECONDS}s")

    def wait_phase(self, phase: str, seconds: int) -> None:
        """The operator tells this phase of the engine's."""
        wanted = f"--for=jsonpath={{.status.phase}}={phase}"
        self.kubectl("wait", "market/helmtest", wanted, f"--timeout={seconds}s")

    def remove(self) -> None:
        """All of it, at once: the next venue needs the room on the node."""
        run("kubectl", "delete", "namespace", self.namespace, "--wait=false")
        self.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")
