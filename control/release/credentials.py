"""Makes what is missing in the Secret of credentials, and renews what is due.

Called by the Job `credentials` before each install and upgrade, where the chart does not template
the Secret. The authority's private key is in a Secret of its own that no pod of the venue mounts.
What is good is never touched: a second run changes nothing.
"""

import base64
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object
from control.errors import NotFound, Rejected
from control.release import certificates
from runtime.certificates import Certified

AUTHORITY: Final = "authority.pem"
AUTHORITY_KEY: Final = "authority.key.pem"
TOKEN_SECRET: Final = "token-secret"  # noqa: S105 - the key's name
# HAProxy reads chain and key from one file.
COMBINED: Final = "edge"
# Helm deletes what is no longer in a chart, unless it carries this.
KEEP: Final = {"helm.sh/resource-policy": "keep"}
Content = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Leaf:
    """The certificate of one service, and the DNS names in it; the first is its subject."""

    name: str
    hosts: tuple[str, ...]


def completed(
    content: Mapping[str, bytes],
    authority: Certified,
    leaves: Sequence[Leaf],
    now: datetime.datetime,
) -> tuple[Content, list[str]]:
    """The Secret's content as it should be, and what was made, with the reason."""
    made: Content = {**content, AUTHORITY: authority.certificate_pem}
    reasons = []
    for leaf in leaves:
        certificate_key, private_key = f"{leaf.name}.pem", f"{leaf.name}.key.pem"
        reason = certificates.fault(made.get(certificate_key, b""), authority, leaf.hosts, now)
        if not reason and leaf.name != COMBINED and not made.get(private_key):
            reason = "has no key"
        if not reason:
            continue
        chain, key = certificates.issue(authority, leaf.hosts, now)
        if leaf.name == COMBINED:
            made[certificate_key] = chain + key
        else:
            made |= {certificate_key: chain, private_key: key}
        reasons.append(f"{leaf.name} {reason}")
    return made, reasons


async def read(cluster: Cluster, name: str) -> Object | None:
    """A Secret, or None."""
    try:
        return await cluster.get(Kind.SECRET, name)
    except NotFound:
        return None


def content_of(secret: Object | None) -> Content:
    """Its data, decoded."""
    data = (secret or {}).get("data") or {}
    return {key: base64.b64decode(value) for key, value in data.items()}


async def write(cluster: Cluster, name: str, before: Object | None, content: Content) -> None:
    """Creates or replaces a Secret. Raises Conflict when somebody else wrote meanwhile."""
    data = {key: base64.b64encode(value).decode("ascii") for key, value in content.items()}
    metadata = dict((before or {}).get("metadata") or {"name": name})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **KEEP}
    document = {"metadata": metadata, "type": "Opaque", "data": data}
    if before is None:
        await cluster.create(Kind.SECRET, document, timeout_seconds=limits.REQUEST_SECONDS)
    else:
        await cluster.replace(
            Kind.SECRET, {**before, **document}, timeout_seconds=limits.REQUEST_SECONDS
        )


async def authority_of(cluster: Cluster, name: str, now: datetime.datetime) -> Certified:
    """The authority in a Secret; made when there is none. Raises Rejected for a broken one."""
    secret = await read(cluster, name)
    if secret is None:
        authority = certificates.make_authority(now)
        content = {AUTHORITY: authority.certificate_pem, AUTHORITY_KEY: authority.private_key_pem}
        await write(cluster, name, None, content)
        click.echo(f"made an authority: Secret {name}")
        return authority
    content = content_of(secret)
    try:
        authority = certificates.read_authority(
            content.get(AUTHORITY, b""), content.get(AUTHORITY_KEY, b"")
        )
    except ValueError as error:
        raise Rejected("AUTHORITY_UNREADABLE", f"Secret {name}: {error}") from None
    if certificates.is_due(authority.certificate, now):
        click.echo(
            f"the authority ends {authority.certificate.not_valid_after_utc:%Y-%m-%d}: replace it "
            "by hand, before leaves get short"
        )
    return authority


async def renew(
    cluster: Cluster,
    release: str,
    leaves: Sequence[Leaf],
    now: datetime.datetime,
    token_secret: str,
) -> None:
    """Brings the Secret of credentials up to date; `token_secret` is used when it has none."""
    name = f"{release}-credentials"
    before = await read(cluster, name)
    content = content_of(before)
    made, reasons = dict(content), list[str]()
    if leaves:
        authority = await authority_of(cluster, f"{release}-authority", now)
        made, reasons = completed(content, authority, leaves, now)
    made.setdefault(TOKEN_SECRET, token_secret.encode("ascii"))
    annotations = ((before or {}).get("metadata") or {}).get("annotations") or {}
    if made != content or KEEP.items() - annotations.items():
        await write(cluster, name, before, made)
    for reason in reasons:
        click.echo(f"issued anew: {reason}")
    if reasons and before is not None:
        click.echo("pods read certificates when they start: set another credentials.revision")
