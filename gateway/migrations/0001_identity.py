"""API keys, nonces that were used, sessions by name, ends that clients must be told of."""

from runtime.migrations import run_sql

revision = "0001_identity"
down_revision = None

UP = """
create sequence identity.key_version;

create table identity.api_key (
    key_id text primary key check (length(key_id) between 1 and 64),
    firm_id bigint not null check (firm_id between 1 and 4294967295),
    label text not null default '',
    scopes text[] not null,
    account_ids bigint[] not null default '{}',
    market_ids bigint[] not null default '{}',
    networks text[] not null default '{}',
    is_read_only boolean not null default false,
    orders_per_second bigint not null default 0 check (orders_per_second >= 0),
    cancels_per_second bigint not null default 0 check (cancels_per_second >= 0),
    created_ns bigint not null,
    expires_ns bigint not null default 0,
    revoked_ns bigint not null default 0,
    version bigint not null default nextval('identity.key_version')
);
create index api_key_version on identity.api_key (version);
comment on table identity.api_key is 'API keys of firms; nothing here can sign';

create table identity.public_key (
    key_id text not null references identity.api_key,
    public_key bytea not null check (length(public_key) = 32),
    added_ns bigint not null,
    primary key (key_id, public_key)
);
comment on table identity.public_key is 'Live Ed25519 public keys of an API key; two in rotation';

create table identity.used_nonce (
    nonce bytea primary key,
    expires_ns bigint not null
);
create index used_nonce_expires on identity.used_nonce (expires_ns);
comment on table identity.used_nonce is 'Nonces that a logon used, until they would expire anyway';

create table identity.session (
    session_id bigint generated always as identity primary key,
    key_id text not null references identity.api_key,
    shard integer not null,
    session_name text not null,
    session_version bigint not null default 1,
    account_ids bigint[] not null,
    created_ns bigint not null,
    unique (key_id, shard, session_name)
);
comment on table identity.session is 'Order sessions by name; what they hold lives in the engine';

create table identity.previous_end (
    subject text primary key,
    reason integer not null,
    last_seq bigint not null,
    ended_ns bigint not null
);
comment on table identity.previous_end is 'Why a stream ended whose client could not be told';
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(UP)
