"""The approver's log: requests of the journal, people's consents, decisions; all append-only."""

from runtime.migrations import run_sql

revision = "0001_log"
down_revision = None

LOG = """
-- Every decision locks it: counters are read and written by one at a time.
create table approver.turn (only_row boolean primary key default true check (only_row));
insert into approver.turn default values;

create table approver.cursor (
    shard integer primary key,
    last_seq bigint not null
);
create table approver.request (
    withdrawal_id bytea primary key check (length(withdrawal_id) = 16),
    shard integer not null,
    seq bigint not null,
    time_ns bigint not null,
    account_id bigint not null,
    asset_id bigint not null,
    network_id bigint not null,
    amount_atoms numeric(39, 0) not null check (amount_atoms > 0),
    destination text not null
);
create index request_address on approver.request (account_id, network_id, destination);
create table approver.consent (
    withdrawal_id bytea not null references approver.request,
    person text not null,
    signature bytea not null check (length(signature) = 64),
    primary key (withdrawal_id, person)
);
create table approver.refusal (
    withdrawal_id bytea primary key references approver.request,
    reason text not null,
    refused_ns bigint not null
);
create table approver.counted (
    withdrawal_id bytea primary key references approver.request,
    account_id bigint not null,
    asset_id bigint not null,
    network_id bigint not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    counted_ns bigint not null
);
create index counted_when on approver.counted (network_id, asset_id, counted_ns);
create table approver.approval (
    approval_id bigint generated always as identity primary key,
    withdrawal_id bytea not null references approver.request,
    asked_sha256 bytea not null check (length(asked_sha256) = 32),
    approval bytea not null,
    signature bytea not null check (length(signature) = 64),
    key_id text not null,
    expires_ns bigint not null
);
create index approval_asked on approver.approval (withdrawal_id, asked_sha256);

create function approver.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name
        using errcode = 'integrity_constraint_violation';
end $$;
"""
TABLES = ("request", "consent", "refusal", "counted", "approval")


def upgrade() -> None:
    """Makes the tables, each append-only."""
    run_sql(LOG)
    for table in TABLES:
        run_sql(
            f"create trigger append_only before update or delete or truncate on approver.{table} "
            "for each statement execute function approver.refuse_change();"
        )
