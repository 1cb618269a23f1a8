"""The bill of materials says what is really installed, and says it in CycloneDX's words."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import sbom

SOURCE = Path(sbom.__file__)
DPKG = """Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers
Architecture: amd64
Version: 2.36-9+deb12u1
Description: a library
 with more: words

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""


def document_of_this_interpreter() -> dict[str, object]:
    """As in an image: by standard input, with nothing but the interpreter's own library."""
    with SOURCE.open("rb") as source:
        told = subprocess.run(
            [sys.executable, "-", "collect"], stdin=source, capture_output=True, check=True
        )
    written = subprocess.run(
        [sys.executable, str(SOURCE), "write", "cambist-gateway:dev"],
        input=told.stdout,
        capture_output=True,
        check=True,
    )
    found: dict[str, object] = json.loads(written.stdout)
    return found


def test_every_installed_package_is_in_it_with_its_version() -> None:
    found = document_of_this_interpreter()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    components = found["components"]
    assert isinstance(components, list)
    told = {one.get("purl") for one in components}
    for name in ("grpcio", "asyncpg", "cryptography"):
        assert f"pkg:pypi/{name}@{importlib.metadata.version(name)}" in told
    # Built into a wheel, by that wheel's own list.
    assert any(purl.startswith("pkg:generic/openssl@") for purl in told if purl)
    assert len({one["bom-ref"] for one in components}) == len(components)


def test_the_same_image_has_the_same_document_and_another_one_another_number() -> None:
    collected = {"packages": [["one", "1", {}]]}
    again = sbom.document("a:1", collected)
    assert sbom.document("a:1", collected) == again
    other = sbom.document("a:1", {"packages": [["one", "2", {}]]})
    assert other["serialNumber"] != again["serialNumber"]


def test_packages_of_debian_that_are_not_installed_are_left_out() -> None:
    (only,) = sbom.document("cambist-edge:dev", sbom.read(DPKG))["components"]
    assert only["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64"
    assert "licenses" not in only


def test_what_was_built_into_a_wheel_is_told_without_what_only_builds_it() -> None:
    parts = [
        {
            "name": "blake3",
            "version": "1.8.7",
            "purl": "pkg:cargo/blake3@1.8.7?download_url=file:///home/somebody",
            "bom-ref": "path+file:///home/somebody",
            "licenses": [{"expression": "CC0-1.0"}],
        },
        {"name": "cc", "version": "1", "scope": "excluded", "purl": "pkg:cargo/cc@1"},
        {"name": "pillow", "version": "1", "purl": "pkg:pypi/pillow@1"},
        {"name": "raqm", "licenses": [{"license": {"id": "MIT"}}]},
    ]
    crate, bare = sbom.document("a:1", {"parts": parts})["components"]
    assert crate == {
        "type": "library",
        "bom-ref": "pkg:cargo/blake3@1.8.7",
        "name": "blake3",
        "version": "1.8.7",
        "purl": "pkg:cargo/blake3@1.8.7",
        "licenses": [{"expression": "CC0-1.0"}],
    }
    assert (bare["name"], bare["bom-ref"]) == ("raqm", "raqm@")


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT", {"expression": "MIT"}),
        (
            "Classifier: License :: OSI Approved :: MIT License\nLicense: no matter",
            {"names": ["MIT License"]},
        ),
        ("Classifier: License :: OSI Approved\nLicense: BSD", {"names": ["BSD"]}),
        ("License: a\n        whole text", {}),
        ("Summary: says nothing", {}),
    ],
)
def test_a_licence_is_what_the_metadata_names(
    tmp_path: Path, metadata: str, licence: dict[str, object]
) -> None:
    folder = tmp_path / "one-1.dist-info"
    folder.mkdir()
    text = f"Metadata-Version: 2.4\nName: one\nVersion: 1\n{metadata}\n"
    (folder / "METADATA").write_text(text, "utf-8")
    (found,) = importlib.metadata.distributions(path=[str(tmp_path)])
    assert sbom.licence_of(found) == licence


def test_what_is_no_list_of_an_image_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        sbom.read("")
