"""A stop has a nonce; who ended it is kept."""

from runtime.migrations import run_sql

revision = "0002_resume"
down_revision = "0001_log"

RESUME = """
alter table signer.writer add column resume_nonce bytea not null default '';

create table signer.resumption (
    nonce bytea not null check (length(nonce) = 32),
    person text not null,
    signature bytea not null check (length(signature) = 64),
    primary key (nonce, person)
);
create trigger append_only before update or delete or truncate on signer.resumption
    for each statement execute function signer.refuse_change();
"""


def upgrade() -> None:
    """Adds the nonce and the table."""
    run_sql(RESUME)
