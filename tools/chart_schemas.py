"""Schemas that manifests of the chart are checked with: kept small in tests/chart/schemas.

    python -m tools.chart_schemas pin            from the cluster that kubectl speaks to, with our
                                                 definitions in it
    python -m tools.chart_schemas write FOLDER   one file per kind, as kubeconform reads them

Called by `tools/lint_chart.sh`. What is pinned are the definitions of the kinds that the chart
renders and of our own, without descriptions, so that linting needs neither a cluster nor a network.
CustomResourceDefinitions themselves are left out: a real API server judges them in
`make test-cluster`. `operators.json` is kept by hand: the fields that the chart may use, of
cert-manager 1.21, CloudNativePG 1.27 and Gateway API 1.4.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

PINNED: Final = Path("tests/chart/schemas")
REFERENCE: Final = re.compile(r'"#/definitions/([^"]+)"')
KIND_KEY: Final = "x-kubernetes-group-version-kind"
API_VERSIONS: Final = {
    "v1": ("ConfigMap", "Pod", "Secret", "Service", "ServiceAccount"),
    "apps/v1": ("Deployment", "StatefulSet"),
    "batch/v1": ("Job",),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "Role", "RoleBinding"),
    "cambist.dev/v1alpha1": ("Market", "WalletChain"),
}
INT_OR_STRING: Final = {"oneOf": [{"type": "string"}, {"type": "integer"}]}


def asked(path: str) -> dict[str, Any]:
    """What the API server says at a path."""
    done = subprocess.run(
        ["kubectl", "get", "--raw", path], capture_output=True, check=True, timeout=60
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def kinds_of(definitions: dict[str, Any]) -> dict[str, str]:
    """Definition by "apiVersion Kind", of all that the chart renders."""
    found = {}
    for name, definition in definitions.items():
        for kind in definition.get(KIND_KEY, []):
            version = f"{kind['group']}/{kind['version']}".removeprefix("/")
            if kind["kind"] in API_VERSIONS.get(version, ()):
                found[f"{version} {kind['kind']}"] = name
    return found


def wanted_kinds() -> set[str]:
    """All of them, as "apiVersion Kind"."""
    return {f"{version} {kind}" for version, kinds in API_VERSIONS.items() for kind in kinds}


def bare(value: Any) -> Any:
    """Without descriptions and extensions of Kubernetes; numbers where text is only one way."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("format") == "int-or-string" or value.get("x-kubernetes-int-or-string"):
        return INT_OR_STRING
    return {key: bare(one) for key, one in value.items() if not is_dropped(key, one)}


def is_dropped(key: str, value: object) -> bool:
    """Descriptions, extensions, and properties whose names a reader of schemas would follow."""
    if key in ("$ref", "$schema"):
        return isinstance(value, dict)
    return key.startswith("x-kubernetes") or (key == "description" and isinstance(value, str))


def needed(definitions: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """The definitions and all that they refer to."""
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = bare(definitions[name])
            wanted += REFERENCE.findall(json.dumps(definitions[name]))
    return found


def strict(value: Any) -> Any:
    """No field that is not known."""
    if isinstance(value, list):
        return [strict(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: strict(one) for key, one in value.items()}
    # A property may be called "properties": that one has no type beside it.
    if isinstance(value.get("type"), str) and "properties" in value:
        made.setdefault("additionalProperties", False)
    return made


def pin() -> None:
    """Writes what a cluster says, named by its version."""
    version = asked("/version")
    definitions = asked("/openapi/v2")["definitions"]
    kinds = kinds_of(definitions)
    missing = sorted(wanted_kinds() - kinds.keys())
    if missing:
        sys.exit(f"the cluster does not know {', '.join(missing)}")
    content = {"kinds": kinds, "definitions": needed(definitions, sorted(kinds.values()))}
    path = PINNED / f"kubernetes-{version['major']}.{version['minor']}.json"
    path.write_text(json.dumps(content, indent=0, sort_keys=True) + "\n", "utf-8")


def write(folder: Path) -> None:
    """A folder per version, a file per kind."""
    for path in sorted(PINNED.glob("kubernetes-*.json")):
        place = folder / path.stem
        place.mkdir(parents=True, exist_ok=True)
        write_kinds(path, place)
        write_kinds(PINNED / "operators.json", place)


def write_kinds(path: Path, place: Path) -> None:
    """A file per kind of one collection."""
    content = json.loads(path.read_text("utf-8"))
    definitions = strict(content["definitions"])
    for kind, name in content["kinds"].items():
        # As kubeconform calls them: of the group only the first word.
        version, _, title = kind.partition(" ")
        group, _, number = version.rpartition("/")
        parts = [title, *([group.partition(".")[0]] if group else []), number]
        file = f"{'-'.join(parts)}.json".lower()
        schema = {"$ref": f"#/definitions/{name}", "definitions": needed(definitions, [name])}
        (place / file).write_text(json.dumps(schema), "utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["pin"]:
            pin()
        case ["write", folder]:
            write(Path(folder))
        case _:
            sys.exit(__doc__)
