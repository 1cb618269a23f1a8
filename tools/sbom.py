"""The bill of materials of an image, as CycloneDX 1.6: what is installed in it, by its own word.

    docker run --rm --interactive --entrypoint python IMAGE - collect < tools/sbom.py |
        python -m tools.sbom write NAME:TAG
    docker run --rm --entrypoint cat IMAGE /var/lib/dpkg/status |
        python -m tools.sbom write NAME:TAG

The first for images with Python, the second for others. `collect` runs inside the image and needs
nothing but the interpreter; `write` turns what it reads into the document, always the same for
the same image. Packages of Python come from their metadata, Debian's from dpkg, and what was
built into a wheel (crates of our kernel, the OpenSSL of cryptography) from the lists that wheels
carry themselves. Our own code is the image's own component.
"""

import importlib.metadata
import json
import platform
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

DPKG: Final = Path("/var/lib/dpkg/status")
SPECIFICATION: Final = "1.6"
CLASSIFIER: Final = "License :: "
# What a classifier says that names no licence.
UNNAMED: Final = ("OSI Approved", "Other/Proprietary License")
LICENCE_CHARACTERS_MAX: Final = 64
# Serial numbers are made of the content, in this namespace.
NAMESPACE: Final = uuid.UUID("5f0b5f36-6f5c-4f0e-9b57-0c9a3d9c2b11")

Component = dict[str, Any]


def collect() -> dict[str, Any]:
    """What is installed where this runs."""
    packages, parts = [], []
    for one in importlib.metadata.distributions():
        packages.append([one.name, one.version, licence_of(one)])
        for file in one.files or ():
            if file.match("*.dist-info/sboms/*.json"):
                parts += json.loads(file.read_text("utf-8")).get("components", [])
    debian = DPKG.read_text("utf-8") if DPKG.exists() else ""
    return {
        "python": platform.python_version(),
        "packages": packages,
        "parts": parts,
        "debian": debian,
    }


def licence_of(one: importlib.metadata.Distribution) -> dict[str, Any]:
    """As CycloneDX has it: an expression, or names; empty = it says none."""
    told = one.metadata
    if told["License-Expression"]:
        return {"expression": told["License-Expression"]}
    names = [
        line.removeprefix(CLASSIFIER).rpartition(" :: ")[2]
        for line in told.get_all("Classifier") or ()
        if line.startswith(CLASSIFIER)
    ]
    named = sorted({name for name in names if name not in UNNAMED})
    short = (told["License"] or "").strip()
    if not named and short and "\n" not in short and len(short) <= LICENCE_CHARACTERS_MAX:
        named = [short]
    return {"names": named} if named else {}


def document(image: str, collected: dict[str, Any]) -> dict[str, Any]:
    """The whole document of an image "name:tag". Pure."""
    components = {one["bom-ref"]: one for one in components_of(collected)}
    name, _, version = image.rpartition(":")
    ordered = [components[reference] for reference in sorted(components)]
    serial = uuid.uuid5(NAMESPACE, json.dumps([image, ordered], sort_keys=True))
    of_image = {"type": "container", "bom-ref": "image", "name": name, "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": of_image},
        "components": ordered,
    }


def components_of(collected: dict[str, Any]) -> Iterator[Component]:
    """One for each thing that is installed."""
    if collected.get("python"):
        version = collected["python"]
        yield component("generic", "python", version, {"expression": "PSF-2.0"}, "application")
    for name, version, licence in collected.get("packages", ()):
        yield component("pypi", name.lower().replace("_", "-"), version, licence)
    for part in collected.get("parts", ()):
        # Those that only build it are not in it; those of PyPI are the packages themselves.
        if part.get("scope") != "excluded" and not part.get("purl", "").startswith("pkg:pypi/"):
            yield built_in(part)
    for name, version, architecture in debian_packages(collected.get("debian", "")):
        yield component("deb/debian", name, version, {}, qualifier=f"?arch={architecture}")


def component(
    kind: str,
    name: str,
    version: str,
    licence: dict[str, Any],
    type_of: str = "library",
    qualifier: str = "",
) -> Component:
    """As CycloneDX writes it."""
    purl = f"pkg:{kind}/{quote(name, safe='')}@{quote(version, safe='')}{qualifier}"
    made: Component = {
        "type": type_of,
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if "expression" in licence:
        made["licenses"] = [{"expression": licence["expression"]}]
    elif licence:
        made["licenses"] = [{"license": {"name": one}} for one in licence["names"]]
    return made


def built_in(part: Component) -> Component:
    """What a wheel's own list says of a part, without places of whoever built it."""
    purl = part.get("purl", "").partition("?")[0].partition("#")[0]
    kept = {key: part[key] for key in ("name", "version", "licenses") if part.get(key)}
    reference = purl or f"{part['name']}@{part.get('version', '')}"
    made: Component = {"type": "library", "bom-ref": reference, **kept}
    return made | {"purl": purl} if purl else made


def debian_packages(status: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and architecture of all that dpkg calls installed. Pure."""
    for paragraph in status.split("\n\n"):
        fields = {
            line.partition(": ")[0]: line.partition(": ")[2]
            for line in paragraph.splitlines()
            if not line.startswith(" ")
        }
        if fields.get("Status", "").endswith(" installed"):
            yield fields["Package"], fields["Version"], fields["Architecture"]


def read(text: str) -> dict[str, Any]:
    """What `collect` said, or a bare status file of dpkg. Raises ValueError for neither."""
    if text.startswith("{"):
        found: dict[str, Any] = json.loads(text)
        return found
    if not any(debian_packages(text)):
        raise ValueError("neither what `collect` writes nor a status file of dpkg")
    return {"debian": text}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["collect"]:
            json.dump(collect(), sys.stdout)
        case ["write", image]:
            print(json.dumps(document(image, read(sys.stdin.read())), indent=1))
        case _:
            sys.exit(__doc__)
