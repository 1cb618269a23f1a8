"""Custody: chains, addresses, deposits, payouts, attempts, messages to and from the engine, books.

Amounts are `numeric(78,0)`: atoms of the chain, or of the engine where a column says so. A change
of state goes through `custody.transition`, and leaves an event row in the same transaction.
"""

from runtime.migrations import run_sql
from wallets.states import pairs

revision = "0001_custody"
down_revision = None

CHAINS = """
create table custody.chain (
    chain text not null,
    network text not null,
    network_id integer not null unique check (network_id > 0),
    genesis_hash text not null,
    -- The claim of one WalletChain resource on this network; empty = nobody's.
    owner text not null default '',
    withdrawals_stopped boolean not null default false,
    stopped_reason text not null default '',
    primary key (chain, network)
);
comment on table custody.chain is 'One row per network that this venue serves';

create table custody.asset (
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    -- Empty for the native asset.
    contract bytea not null,
    symbol text not null,
    decimals integer not null check (decimals between 0 and 77),
    engine_decimals integer not null check (engine_decimals between 0 and 30),
    deposit_minimum_atoms numeric(78, 0) not null check (deposit_minimum_atoms >= 0),
    withdrawal_minimum_atoms numeric(78, 0) not null check (withdrawal_minimum_atoms >= 0),
    deposits_suspended boolean not null default false,
    withdrawals_suspended boolean not null default false,
    suspended_reason text not null default '',
    primary key (network_id, asset_id),
    unique (network_id, contract)
);

-- Confirmations by the sum of an account's deposits that are not final yet. A change is a new
-- version; deposits keep the version under which they were seen.
create table custody.confirmation_tier (
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    version integer not null,
    above_atoms numeric(78, 0) not null check (above_atoms >= 0),
    credit_depth integer not null check (credit_depth > 0),
    withdrawable_depth integer not null check (withdrawable_depth >= credit_depth),
    primary key (network_id, asset_id, version, above_atoms)
);

-- Hashes near the tip and, thinner, further back: the locator of the scanner.
create table custody.block (
    network_id integer not null references custody.chain (network_id),
    height bigint not null,
    block_hash text not null,
    parent_hash text not null,
    time_ns bigint not null,
    header bytea not null,
    primary key (network_id, height)
);

create table custody.lease (
    name text primary key,
    owner text not null default '',
    -- Grows with every change of owner; each write of the holder names it.
    fencing_token bigint not null default 0,
    expires_at timestamptz not null default '-infinity'
) with (fillfactor = 10);
"""

ADDRESSES = """
create table custody.key_branch (
    network_id integer not null references custody.chain (network_id),
    branch text not null,
    generation integer not null,
    scheme text not null,
    extended_public_key text not null,
    birthday_height bigint not null,
    retired boolean not null default false,
    next_index bigint not null default 0,
    primary key (network_id, branch, generation)
);

create table custody.address (
    network_id integer not null references custody.chain (network_id),
    -- What an output pays to, compared as bytes.
    key bytea not null,
    text text not null,
    branch text not null,
    generation integer not null,
    path_index bigint not null check (path_index between 0 and 2147483647),
    -- 0 = derived ahead, nobody's yet.
    account_id bigint not null default 0,
    request_id bytea,
    created_at timestamptz not null default now(),
    primary key (network_id, key),
    unique (network_id, branch, generation, path_index),
    foreign key (network_id, branch, generation) references custody.key_branch
);
create unique index address_request on custody.address (network_id, account_id, request_id)
    where request_id is not null;
create index address_account on custody.address (account_id, network_id);
"""

DEPOSITS = """
create table custody.deposit (
    deposit_id bytea primary key check (length(deposit_id) = 16),
    network_id integer not null references custody.chain (network_id),
    txid text not null,
    index bigint not null,
    key bytea not null,
    account_id bigint not null,
    asset_id integer not null,
    contract bytea not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms >= 0),
    -- In the engine's unit, and what the engine's unit cannot hold.
    engine_atoms numeric(78, 0) not null check (engine_atoms >= 0),
    remainder_atoms numeric(78, 0) not null default 0 check (remainder_atoms >= 0),
    state text not null,
    reason text not null default '',
    tier_version integer not null default 0,
    block_hash text,
    block_height bigint,
    -- How often it was credited and taken back; odd = credited.
    credit_count integer not null default 0 check (credit_count >= 0),
    seen_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (network_id, txid, index)
);
create index deposit_open on custody.deposit (network_id, state, block_height);
create index deposit_account on custody.deposit (account_id, deposit_id);

create table custody.deposit_proof (
    deposit_id bytea not null references custody.deposit,
    block_hash text not null,
    height bigint not null,
    header bytea not null,
    proof bytea not null,
    node text not null,
    created_at timestamptz not null default now(),
    primary key (deposit_id, block_hash, node)
);
"""

PAYOUTS = """
create table custody.payout (
    withdrawal_id bytea primary key check (length(withdrawal_id) = 16),
    -- customer, treasury, return
    kind text not null,
    shard integer not null,
    journal_seq bigint not null,
    account_id bigint not null,
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    destination_text text not null,
    destination_key bytea,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    -- In the engine's unit, as the journal has them.
    engine_amount_atoms numeric(78, 0) not null check (engine_amount_atoms > 0),
    engine_fee_atoms numeric(78, 0) not null check (engine_fee_atoms >= 0),
    priority integer not null default 0,
    state text not null,
    -- Why it waits; empty = it does not.
    condition text not null default '',
    reason text not null default '',
    not_before timestamptz not null default '-infinity',
    claimed_by text not null default '',
    fencing_token bigint not null default 0,
    claim_expires_at timestamptz not null default '-infinity',
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now()
);
create index payout_open on custody.payout (network_id, state, priority desc, created_at);

create table custody.conflict_group (
    conflict_group_id bigint generated always as identity primary key,
    network_id integer not null references custody.chain (network_id),
    -- An outpoint ("txid:index"), or "address:nonce": in every attempt of the group.
    anchor text not null,
    unique (network_id, anchor)
);

create table custody.attempt (
    attempt_id bigint generated always as identity primary key,
    network_id integer not null references custody.chain (network_id),
    -- payout, sweep, top_up, consolidation, cancel, gap_fill
    kind text not null,
    conflict_group_id bigint references custody.conflict_group,
    state text not null,
    txid text,
    raw bytea,
    fee_atoms_max numeric(78, 0) not null check (fee_atoms_max >= 0),
    -- What the network took; known when mined.
    fee_atoms numeric(78, 0),
    block_hash text,
    block_height bigint,
    -- Why it can never be mined, checkable by anybody.
    death_proof bytea,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    unique (network_id, txid),
    check ((state = 'planned' or death_proof is not null) or (txid is not null and raw is not null))
);
create index attempt_open on custody.attempt (network_id, state);

create table custody.attempt_output (
    attempt_id bigint not null references custody.attempt,
    withdrawal_id bytea not null references custody.payout,
    amount_atoms numeric(78, 0) not null check (amount_atoms > 0),
    primary key (attempt_id, withdrawal_id)
);
create index attempt_output_payout on custody.attempt_output (withdrawal_id);

create table custody.fee_quote (
    quote_id bytea primary key check (length(quote_id) = 16),
    account_id bigint not null,
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    engine_amount_atoms numeric(78, 0) not null,
    engine_fee_atoms numeric(78, 0) not null,
    expires_at timestamptz not null
);

create table custody.address_book (
    account_id bigint not null,
    network_id integer not null references custody.chain (network_id),
    key bytea not null,
    text text not null,
    label text not null,
    usable_from timestamptz not null,
    removed_at timestamptz,
    primary key (account_id, network_id, key)
);
"""

MESSAGES = """
-- Who numbers money commands towards the engine: one per network and shard.
create table custody.source (
    source_id integer primary key check (source_id > 0),
    network_id integer not null references custody.chain (network_id),
    shard integer not null,
    last_seq bigint not null default 0,
    unique (network_id, shard)
);

create table custody.outbox (
    source_id integer not null references custody.source,
    source_seq bigint not null check (source_seq > 0),
    -- Serialised cambist.internal.journal.v1.SystemCommand.
    command bytea not null,
    kind text not null,
    subject_id bytea not null,
    -- Reason number of the engine's answer; null = not answered.
    answer_reason integer,
    answer_seq bigint,
    created_at timestamptz not null default now(),
    primary key (source_id, source_seq)
);
create index outbox_open on custody.outbox (source_id, source_seq) where answer_reason is null;

-- Moves in the same transaction as what the row of the journal caused here.
create table custody.inbox_cursor (
    shard integer primary key,
    last_seq bigint not null default 0
);
"""

BOOKS = """
create table custody.posting (
    posting_id bigint generated always as identity primary key,
    transfer_id bigint not null,
    network_id integer not null references custody.chain (network_id),
    asset_id integer not null,
    account text not null,
    amount_atoms numeric(78, 0) not null check (amount_atoms <> 0),
    cause text not null,
    cause_id bytea not null,
    created_at timestamptz not null default now()
);
create index posting_account on custody.posting (network_id, asset_id, account);
create index posting_transfer on custody.posting (transfer_id);
create sequence custody.transfer_number;

-- Every transfer sums to zero per asset; looked at when the transaction commits.
create function custody.check_transfer() returns trigger language plpgsql as $$
begin
    if exists (
        select from custody.posting where transfer_id = new.transfer_id
        group by asset_id having sum(amount_atoms) <> 0
    ) then
        raise exception 'transfer % does not balance', new.transfer_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger posting_balances after insert on custody.posting
    deferrable initially deferred for each row execute function custody.check_transfer();

create function custody.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name
        using errcode = 'integrity_constraint_violation';
end $$;
create trigger posting_append_only before update or delete on custody.posting
    for each statement execute function custody.refuse_change();
"""

TRANSITIONS = """
create table custody.transition (
    kind text not null,
    state_before text not null,
    state_after text not null,
    primary key (kind, state_before, state_after)
);
comment on table custody.transition is 'The only ways between states; wallets/states.py writes it';

-- One row per change of state, of all kinds; a chain of hashes per batch makes cuts visible.
create table custody.event (
    event_id bigint generated always as identity primary key,
    kind text not null,
    subject_id text not null,
    state_before text not null,
    state_after text not null,
    actor text not null,
    reason text not null,
    details jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp()
);
create index event_subject on custody.event (kind, subject_id, event_id);
create trigger event_append_only before update or delete on custody.event
    for each statement execute function custody.refuse_change();

create table custody.audit_batch (
    last_event_id bigint primary key,
    event_count bigint not null check (event_count > 0),
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null default clock_timestamp()
);
create trigger audit_batch_append_only before update or delete on custody.audit_batch
    for each statement execute function custody.refuse_change();

-- The subject's id is the table's first column. Who changes a state says so in two settings of the
-- transaction, so that no change is without an actor and a reason.
create function custody.change_state() returns trigger language plpgsql as $$
declare
    actor text := current_setting('custody.actor', true);
    reason text := coalesce(current_setting('custody.reason', true), '');
    subject text := to_jsonb(new) ->> tg_argv[1];
begin
    if tg_op = 'UPDATE' and old.state = new.state then
        return new;
    end if;
    if coalesce(actor, '') = '' then
        raise exception 'a change of state needs custody.actor'
            using errcode = 'integrity_constraint_violation';
    end if;
    if tg_op = 'UPDATE' and not exists (
        select from custody.transition
        where kind = tg_argv[0] and state_before = old.state and state_after = new.state
    ) then
        raise exception '% % cannot go from % to %', tg_argv[0], subject, old.state, new.state
            using errcode = 'integrity_constraint_violation';
    end if;
    insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
    values (tg_argv[0], subject, case when tg_op = 'UPDATE' then old.state else '' end,
            new.state, actor, reason);
    if tg_op = 'UPDATE' then
        new.changed_at := clock_timestamp();
    end if;
    return new;
end $$;
create trigger payout_state before insert or update of state on custody.payout
    for each row execute function custody.change_state('payout', 'withdrawal_id');
create trigger attempt_state before insert or update of state on custody.attempt
    for each row execute function custody.change_state('attempt', 'attempt_id');
create trigger deposit_state before insert or update of state on custody.deposit
    for each row execute function custody.change_state('deposit', 'deposit_id');
"""


def permitted() -> str:
    """The rows of `custody.transition`; the words come from our own enums."""
    rows = ",\n".join(f"('{kind}', '{before}', '{after}')" for kind, before, after in pairs())
    return f"insert into custody.transition values\n{rows};"


def upgrade() -> None:
    """Makes the tables."""
    for sql in (CHAINS, ADDRESSES, DEPOSITS, PAYOUTS, MESSAGES, BOOKS, TRANSITIONS, permitted()):
        run_sql(sql)
