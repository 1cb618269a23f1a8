"""Limits of matching, each with unit and reason."""

from typing import Final

MEBIBYTE: Final = 1024 * 1024

# --- Inbox
# Commands that wait to be sequenced. Full = streams are not read, so that clients wait.
INBOX_COMMANDS_MAX: Final = 10_000
# Parts per hundred of the inbox that only cancel-class envelopes may use, and only SYSTEM ones:
# cancels, halts and lost sessions get through when orders do not.
INBOX_CANCEL_PERCENT: Final = 15
INBOX_SYSTEM_PERCENT: Final = 10
# Bytes that wait to be sequenced; 10,000 commands of customary size are 1 MB.
INBOX_BYTES_MAX: Final = 32 * MEBIBYTE
# Bytes of an envelope from which its strict check runs in a thread, so that the loop goes on.
CHECK_THREAD_BYTES: Final = 64 * 1024
# Envelopes of one message of a link: what its sender may send at most.
MESSAGE_ENVELOPES_MAX: Final = 1_001
# Calls of all kinds at once.
CALLS_MAX: Final = 4_000
# Links of gateways, custody and operators at once.
LINKS_MAX: Final = 1_000
# Refusals of one link that wait to be written; more and the link is not read.
REFUSALS_WAITING_MAX: Final = 1_000
# Seconds between two tellings of progress on one link.
PROGRESS_SECONDS: Final = 0.02

# --- Batches
# Commands and envelopes the engine takes in one batch, and what the sequencer puts in by default:
# all that waits (measured: half as many cost a fifth more processor time per command in all
# processes together), while EVENT_ROW_BYTES_TARGET bounds the rows.
BATCH_COMMANDS_ENGINE_MAX: Final = 10_000
BATCH_ENVELOPES_MAX: Final = 4_096
BATCH_COMMANDS_MAX: Final = 10_000
# Bytes of envelopes in one batch (one envelope is always taken).
BATCH_BYTES_MAX: Final = MEBIBYTE
# Bytes of an event row above which the next batches take fewer commands.
EVENT_ROW_BYTES_TARGET: Final = 2 * MEBIBYTE
# Commands that a batch may always take, however large the rows before it were.
BATCH_COMMANDS_FLOOR: Final = 16
# Commands that wait from which a batch is applied while the one before it is being committed; with
# fewer it gathers until that commit is known, and group commit stays what it is.
AHEAD_COMMANDS_MIN: Final = 1_000
# Commands of a batch for each session that waits: half of the inbox's room for orders. Where few
# sessions fill it more batches are on their way at once, each large enough that what a row costs is
# little beside its commands (measured with a credit of 20,000 a session: one session alone 0.62 to
# 0.77 of the ceiling, 0.55 with 1,536 and a credit of 10,000, eight sessions no slower).
BATCH_COMMANDS_SESSION: Final = 3_584
# Bytes of a batch from which the engine runs in a thread; below, the way there costs more.
APPLY_THREAD_BYTES: Final = 8 * 1024
# Commands of one envelope.
ENVELOPE_COMMANDS_MAX: Final = 1_000

# --- Commit
# Seconds to wait for the answer of a commit before its outcome counts as unknown.
COMMIT_SECONDS: Final = 10.0
# Seconds between two attempts to reach the database again, doubling.
RECONNECT_FIRST_SECONDS: Final = 0.05
RECONNECT_MAX_SECONDS: Final = 1.0
# Seconds for a statement on lease or fence.
FENCE_STATEMENT_SECONDS: Final = 5.0
# Milliseconds the epoch update waits for the fence row before it ends the backends that hold it.
FENCE_LOCK_MILLISECONDS: Final = 300
# Attempts after which a takeover that waits is named TAKEOVER_BLOCKED.
FENCE_ATTEMPTS_BEFORE_BLOCKED: Final = 2
# Seconds between two attempts of a takeover.
FENCE_RETRY_SECONDS: Final = 0.1

# --- Lease
LEASE_SECONDS: Final = 1.0
LEASE_RENEWAL_SECONDS: Final = 0.25
# Seconds between two looks of a standby at journal and lease.
STANDBY_POLL_SECONDS: Final = 0.1

# --- Clock
# Nanoseconds between our time and the database's above which we are not ready.
CLOCK_SKEW_NS: Final = 1_000_000_000
# Nanoseconds by which one renewal may pull our time towards the database's.
CLOCK_SLEW_NS: Final = 500_000

# --- Journal
# Sequences of one partition: about 1 GB of commands, 3 to 5 GB of events.
PARTITION_COMMANDS: Final = 10_000_000
# Partitions that exist ahead of the one being written.
PARTITIONS_AHEAD: Final = 2
# Seconds between two looks how large the database is: the server adds up sizes of files.
DATABASE_SIZE_SECONDS: Final = 60.0
# Seconds between two looks whether partitions are missing, and which snapshot is the newest.
HOUSEKEEPING_SECONDS: Final = 10.0
# Bytes and rows of one page of rows read back; the page adapts to the size of rows.
PAGE_BYTES: Final = 8 * MEBIBYTE
PAGE_ROWS_MIN: Final = 4
PAGE_ROWS_MAX: Final = 4_096

# --- Release
# Bytes of recent rows in memory; older ones are read from Postgres.
RING_BYTES_MAX: Final = 64 * MEBIBYTE
# Bytes after which a message of rows is sent, well below what a receiver takes. A row is whole.
MESSAGE_BYTES_TARGET: Final = MEBIBYTE
# Rows of one message, and rows a stream looks through before others get their turn.
ROWS_AT_ONCE_MAX: Final = 256
# Streams of events at once.
STREAMS_MAX: Final = 1_000
# Accounts and sessions of one filter.
FILTER_IDS_MAX: Final = 1_000
# Events of one ReadAccountEvents.
ACCOUNT_EVENTS_MAX: Final = 10_000
ACCOUNT_EVENTS_BYTES_MAX: Final = 3 * MEBIBYTE
# Journal rows one ReadAccountEvents looks through past the index.
ACCOUNT_TAIL_ROWS_MAX: Final = 100_000

# --- Snapshots
# Bytes of one chunk: what a commit of the journal may have to wait for. With 1 MiB the commits'
# 99th percentile rose 1.6 to 4.5 times; with this and a pause of 2 ms by about a tenth, on a noisy
# machine (benchmarks/snapshot_load.py measures it). The table takes up to 1 MiB.
SNAPSHOT_CHUNK_BYTES: Final = 64 * 1024
# Chunks read back at once.
SNAPSHOT_CHUNKS_READ: Final = 16
SNAPSHOT_BYTES_MAX: Final = 4_096 * MEBIBYTE
SNAPSHOTS_KEPT: Final = 2
SNAPSHOT_EVERY_COMMANDS: Final = 1_000_000
SNAPSHOT_EVERY_SECONDS: Final = 300.0
# Seconds between two chunks, so that the journal's writes are not crowded out.
SNAPSHOT_CHUNK_PAUSE_SECONDS: Final = 0.004
# Added to the niceness of helpers (snapshotter, projector), so that the primary goes first.
HELPER_NICENESS: Final = 10

# --- Administration
# Seconds an operator waits for the answer of a command.
ADMIN_ANSWER_SECONDS: Final = 10.0
ADMIN_CALLS_MAX: Final = 256
FIRMS_LISTED_MAX: Final = 10_000
# Accounts of one GetAccounts: a page of some tens of kilobytes.
ACCOUNTS_ASKED_MAX: Final = 1_000

# --- Faucet of a sandbox
# Whole units of the asset in one call, and calls of one account in an hour, unless settings differ.
PAY_IN_UNITS_MAX: Final = 1_000_000
PAY_INS_PER_HOUR: Final = 60
# Days after which an id is forgotten, and how many are forgotten with each new one.
PAY_INS_KEPT_DAYS: Final = 7
PAY_INS_FORGOTTEN_MAX: Final = 100
# Unsettled ones read at once.
PAY_INS_PAGE: Final = 100

# --- Projector
# Rows and bytes of one transaction of the projector.
PROJECT_ROWS_MAX: Final = 256
PROJECT_BYTES_MAX: Final = 8 * MEBIBYTE
# Seconds between two looks when it has caught up.
PROJECT_POLL_SECONDS: Final = 0.1
HISTORY_PAGE_MAX: Final = 1_000

# Seconds for open calls to end when the process is asked to stop.
STOP_SECONDS: Final = 1.0
