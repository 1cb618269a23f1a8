"""Makes an authority and certificates for development in a folder, unless they are there.

    python make_credentials.py FOLDER

Run by the compose file before other services. Valid for localhost, CAMBIST_HOST_NAME and 30 days;
for real money the folder holds files of a real authority and this does nothing.
"""

import datetime
import os
import sys
from pathlib import Path

from runtime.development_certificates import make_authority

NAMES = ("matching", "operator")


def main(folder: Path) -> None:
    """All or nothing: the edge's file is written last."""
    edge = folder / "tls.pem"
    if edge.exists():
        return
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(folder, now)
    for name in NAMES:
        authority.issue(name, now)
    issued = authority.issue(os.environ.get("CAMBIST_HOST_NAME", "localhost"), now)
    whole = "".join(
        Path(path).read_text("ascii") for path in (issued.certificate_file, issued.private_key_file)
    )
    half = edge.with_suffix(".new")
    half.write_text(whole, "ascii")
    half.chmod(0o600)
    half.replace(edge)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
