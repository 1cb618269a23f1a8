"""The signer's log: every attempt by withdrawal id, appended before its signature is given."""

from runtime.migrations import run_sql

revision = "0001_log"
down_revision = None

LOG = """
create table signer.writer (
    only_row boolean primary key default true check (only_row),
    epoch bigint not null default 0,
    stopped boolean not null default false,
    stopped_reason text not null default ''
);
insert into signer.writer default values;

create table signer.entry (
    log_number bigint primary key,
    intent_id bytea not null unique check (length(intent_id) = 16),
    intent_sha256 bytea not null check (length(intent_sha256) = 32),
    network_id integer not null,
    txid text not null,
    anchors text[] not null,
    raw bytea not null,
    signed_ns bigint not null
);
create table signer.payment (
    log_number bigint not null references signer.entry,
    withdrawal_id bytea not null check (length(withdrawal_id) = 16),
    destination text not null,
    contract text not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    primary key (log_number, withdrawal_id)
);
create index payment_withdrawal on signer.payment (withdrawal_id);
create table signer.outflow (
    log_number bigint not null references signer.entry,
    network_id integer not null,
    contract text not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    signed_ns bigint not null,
    primary key (log_number, contract)
);
create index outflow_hour on signer.outflow (network_id, signed_ns);
create table signer.death (
    withdrawal_id bytea not null,
    txid text not null,
    proof_sha256 bytea not null check (length(proof_sha256) = 32),
    primary key (withdrawal_id, txid)
);
create table signer.closed (withdrawal_id bytea primary key check (length(withdrawal_id) = 16));

create function signer.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name
        using errcode = 'integrity_constraint_violation';
end $$;
"""
TABLES = ("entry", "payment", "outflow", "death", "closed")


def upgrade() -> None:
    """Makes the tables, each append-only."""
    run_sql(LOG)
    for table in TABLES:
        run_sql(
            f"create trigger append_only before update or delete or truncate on signer.{table} "
            "for each statement execute function signer.refuse_change();"
        )
