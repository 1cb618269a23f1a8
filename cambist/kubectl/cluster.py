"""The API server by way of kubectl: its kubeconfig, contexts and logins are those of the user.

Raises click.ClickException with what kubectl said.
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from cambist.kubectl import limits

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One namespace of one context; empty = kubectl's present ones."""

    namespace: str = ""
    context: str = ""

    def run(self, *arguments: str) -> str:
        """Standard output of kubectl."""
        chosen = [
            *(("--namespace", self.namespace) if self.namespace else ()),
            *(("--context", self.context) if self.context else ()),
        ]
        try:
            done = subprocess.run(
                ["kubectl", *chosen, *arguments],
                capture_output=True,
                text=True,
                check=True,
                timeout=limits.KUBECTL_SECONDS,
            )
        except FileNotFoundError:
            raise click.ClickException("kubectl is not on the path") from None
        except subprocess.TimeoutExpired:
            raise click.ClickException("kubectl did not answer; is the API server there?") from None
        except subprocess.CalledProcessError as error:
            raise click.ClickException(str(error.stderr).strip()) from None
        return done.stdout

    def get(self, kind: str, name: str) -> Object:
        """One object."""
        found: Object = json.loads(self.run("get", kind, name, "--output", "json"))
        return found

    def list(self, kind: str, selector: str = "") -> list[Object]:
        """All objects of a kind, by name."""
        chosen = ["--selector", selector] if selector else []
        text = self.run("get", kind, *chosen, "--output", "json")
        found: list[Object] = json.loads(text)["items"]
        return sorted(found, key=lambda item: str(item["metadata"]["name"]))

    def patch(self, kind: str, name: str, spec: Object, *, dry_run: bool = False) -> Object:
        """Merge patch of a spec; a dry run asks the API server and changes nothing."""
        text = self.run(
            "patch",
            kind,
            name,
            "--type=merge",
            "--patch",
            json.dumps({"spec": spec}),
            "--output",
            "json",
            *(("--dry-run=server",) if dry_run else ()),
        )
        found: Object = json.loads(text)
        return found


def condition(found: Object, kind: str) -> Object:
    """One condition; empty when it is not there."""
    for known in (found.get("status") or {}).get("conditions", []):
        if known["type"] == kind:
            result: Object = known
            return result
    return {}


def wait(what: Callable[[], bool], timeout_seconds: float, text: str) -> None:
    """Waits until the operator did something."""
    end = time.monotonic() + timeout_seconds
    while not what():
        if time.monotonic() > end:
            raise click.ClickException(f"{text} within {timeout_seconds:g} s; is the operator up?")
        time.sleep(limits.POLL_SECONDS)
