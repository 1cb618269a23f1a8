"""An authority and certificates for development and tests; never for production.

Makes PEM files on disk, valid for localhost and 127.0.0.1. Called by the demo, by `make run` and
by tests; needs the library `cryptography`.
"""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from runtime import certificates
from runtime.certificates import Certified
from runtime.settings import TlsSettings

NAME: Final = "cambist development authority"
VALID_FOR: Final = datetime.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DevelopmentAuthority:
    """A certificate authority that lives in a folder."""

    folder: Path
    authority: Certified

    @property
    def authority_file(self) -> str:
        """What clients trust."""
        return str(self.folder / "authority.pem")

    def issue(self, name: str, now: datetime.datetime) -> TlsSettings:
        """A certificate for `name` on this machine; settings of a server that wants no client's."""
        names = [
            x509.DNSName("localhost"),
            x509.DNSName(name),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        leaf = certificates.issue(self.authority, name, names, now, now + VALID_FOR)
        certificate_file = self.folder / f"{name}.pem"
        certificate_file.write_bytes(leaf.certificate_pem)
        return TlsSettings(
            certificate_file=str(certificate_file),
            private_key_file=write_private_key(
                self.folder / f"{name}.key.pem", leaf.private_key_pem
            ),
        )


def make_authority(folder: Path, now: datetime.datetime) -> DevelopmentAuthority:
    """Makes a new authority in `folder`; `now` is the start of its validity."""
    folder.mkdir(parents=True, exist_ok=True)
    made = DevelopmentAuthority(folder, certificates.make_authority(NAME, now, now + VALID_FOR))
    Path(made.authority_file).write_bytes(made.authority.certificate_pem)
    return made


def write_private_key(path: Path, content: bytes) -> str:
    """Writes PEM that only the owner can read and returns the file's name."""
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)
