"""Proofs of what the venue owes, as they were published, so that accounts may ask for theirs.

The leaves of a proof hold what every account owned: they are the venue's own, like its books.
"""

from runtime.migrations import run_sql

revision = "0056_liabilities"
down_revision = "0055_tron_permissions"

SQL = """
create table custody.liability_report (
    report_id bigint generated always as identity primary key,
    asset_id bigint not null,
    root_hash bytea not null unique check (octet_length(root_hash) = 32),
    root_atoms numeric(78, 0) not null check (root_atoms >= 0),
    leaves bigint not null check (leaves > 0),
    -- What everybody may read: it names no account.
    report jsonb not null,
    made_at timestamptz not null default clock_timestamp()
);
create index liability_report_newest on custody.liability_report (asset_id, report_id desc);

create table custody.liability_leaf (
    report_id bigint not null references custody.liability_report on delete cascade,
    place bigint not null check (place >= 0),
    -- 0 = nobody's: it hides how many leaves there are.
    account_id bigint not null,
    salt bytea not null,
    atoms numeric(78, 0) not null check (atoms >= 0),
    primary key (report_id, place)
);
create index liability_leaf_account on custody.liability_leaf (report_id, account_id);

-- All nodes below the root: level 0 are the hashes of leaves.
create table custody.liability_node (
    report_id bigint not null references custody.liability_report on delete cascade,
    level smallint not null check (level >= 0),
    place bigint not null check (place >= 0),
    hash bytea not null,
    atoms numeric(78, 0) not null check (atoms >= 0),
    primary key (report_id, level, place)
);
"""


def upgrade() -> None:
    """Makes what the revision says."""
    run_sql(SQL)
