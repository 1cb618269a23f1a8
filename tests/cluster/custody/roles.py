"""Roles of the database, one for each service, as the chart's `postgres.serviceRoles` has them."""

from typing import Any, Final

from tests.cluster.venue import Venue

SERVICES: Final = ("matching", "gateway", "wallets", "signer", "approver")
PASSWORD: Final = "known-to-this-test-alone"
SETTINGS: Final = [
    argument
    for name in SERVICES
    for field, value in (("name", f"cambist_{name}"), ("secretName", f"database-{name}"))
    for argument in ("--set", f"postgres.serviceRoles.{name}.{field}={value}")
]
CONNECTED: Final = """
select distinct usename from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""


def documents() -> list[dict[str, Any]]:
    """Their Secrets."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"database-{name}"},
            "stringData": {
                "dsn": f"postgresql://cambist_{name}:{PASSWORD}@venue-postgres:5432/cambist"
            },
        }
        for name in SERVICES
    ]


def connected(venue: Venue) -> set[str]:
    """Who is logged in besides the one who asks."""
    return set(venue.sql(CONNECTED).split())
