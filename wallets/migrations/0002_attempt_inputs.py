"""What an attempt was planned with, which inputs it owns, and the approvals it is signed under."""

from runtime.migrations import run_sql

revision = "0002_attempt_inputs"
down_revision = "0001_custody"

SQL = """
create table custody.attempt_plan (
    attempt_id bigint primary key references custody.attempt,
    intent_id bytea not null unique check (length(intent_id) = 16),
    -- Serialised cambist.internal.signer.v1.Intent.
    intent bytea not null
);

-- An input belongs to one attempt until that is final or dead; the key refuses a second owner.
create table custody.owned_input (
    network_id integer not null references custody.chain (network_id),
    input text not null,
    attempt_id bigint not null references custody.attempt,
    primary key (network_id, input)
);
create index owned_input_attempt on custody.owned_input (attempt_id);

-- One for each attempt of a payout, from 0: a retry needs a new one that names the dead.
create table custody.approval (
    withdrawal_id bytea not null references custody.payout,
    attempt_number integer not null check (attempt_number >= 0),
    fee_atoms_max numeric(78, 0) not null check (fee_atoms_max >= 0),
    approval bytea not null,
    signature bytea not null,
    created_at timestamptz not null default now(),
    primary key (withdrawal_id, attempt_number)
);

create index outbox_subject on custody.outbox (subject_id, kind);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(SQL)
