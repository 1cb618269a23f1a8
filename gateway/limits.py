"""Limits of the gateway, each with unit and reason."""

from typing import Final

MEBIBYTE: Final = 1024 * 1024

# --- Order sessions
# Commands and bytes of one batch: what the engine takes in one envelope.
BATCH_COMMANDS_MAX: Final = 1_000
BATCH_BYTES_MAX: Final = MEBIBYTE
# Commands of one session that may be unanswered: twice what the sequencer holds, so that one
# session alone keeps every stage busy. What waits is bounded in bytes below, not by this.
IN_FLIGHT_COMMANDS_MAX: Final = 20_000
# Milliseconds. Below a second heartbeats cost more than they tell; above a minute a loss is late.
KEEP_ALIVE_MINIMUM_MS: Final = 1_000
KEEP_ALIVE_MAXIMUM_MS: Final = 60_000
# Intervals without a message after which a connection counts as lost.
KEEP_ALIVE_LAPSES: Final = 2
# Milliseconds. Longest window in which a lost session cancels nothing.
WINDOW_MAXIMUM_MS: Final = 600_000
# Seconds a new stream may take to say Establish, and the engine to answer it.
FIRST_MESSAGE_SECONDS: Final = 10.0
OPEN_SECONDS: Final = 10.0
# Messages and bytes waiting for one stream. A stalled reader is ended at these; grpcio itself
# lets about 100 kB run ahead.
OUTBOX_MESSAGES_MAX: Final = 4_096
OUTBOX_BYTES_MAX: Final = 8 * MEBIBYTE
# Bytes waiting for all streams together, so that many stalled readers fit in a small pod.
OUTBOX_BYTES_TOTAL_MAX: Final = 256 * MEBIBYTE
# Seconds one write may take before the stream counts as stalled.
WRITE_STALL_SECONDS: Final = 10.0
# Seconds between two looks at heartbeats, stalls and expiries.
SWEEP_SECONDS: Final = 0.1
# Accounts and markets of one session or request: what the engine takes.
ACCOUNTS_MAX: Final = 1_000
MARKETS_MAX: Final = 1_000
SESSION_NAME_CHARACTERS_MAX: Final = 32
# Events one Retransmit or one history page may name.
RETRANSMIT_EVENTS_MAX: Final = 10_000
# Open orders sent when a resume point is too old: pages of this many, at most so many in all.
OPEN_ORDERS_PAGE: Final = 1_000
OPEN_ORDERS_MAX: Final = 200_000

# --- Link to matching
# Envelopes and bytes waiting for the link. Full = clients are not read. Cancels have their own.
SUBMIT_ENVELOPES_MAX: Final = 256
SUBMIT_BYTES_MAX: Final = 8 * MEBIBYTE
# Envelopes and bytes of one message to matching, when several wait. What is in a message cannot be
# overtaken by a cancel any more, so few.
SUBMIT_MESSAGE_ENVELOPES_MAX: Final = 256
SUBMIT_MESSAGE_BYTES_MAX: Final = 64 * 1024
# Seconds between two attempts to find the primary, doubling.
RECONNECT_FIRST_SECONDS: Final = 0.05
RECONNECT_MAX_SECONDS: Final = 1.0
# Seconds to connect and hear Welcome, and for one chunk of a snapshot.
CONNECT_SECONDS: Final = 5.0
# Seconds between two looks at the primary; seconds of silence after which it is asked, and seconds
# it may take to answer. A frozen process keeps its connections open, so only a question tells.
PRIMARY_WATCH_SECONDS: Final = 0.5
PRIMARY_SILENT_SECONDS: Final = 1.0
PRIMARY_ANSWER_SECONDS: Final = 2.0
# Rows and bytes kept for resumes. A client that was away for a minute is served from memory.
RING_ROWS_MAX: Final = 65_536
RING_BYTES_MAX: Final = 128 * MEBIBYTE
# Bytes of one row from matching: what Postgres stores in a column. A row is whole, however many
# orders a mass cancel or a sweep touched; matching takes fewer commands after a large one.
ROW_BYTES_MAX: Final = 1_024 * MEBIBYTE
# Rows and bytes released but not yet in the image; full = the event stream is not read.
IMAGE_ROWS_MAX: Final = 1_024
IMAGE_BYTES_MAX: Final = 64 * MEBIBYTE
# Bytes of a row from which the image takes it in a thread, so that the loop goes on.
IMAGE_THREAD_BYTES: Final = 64 * 1024
# Bytes of one snapshot, and its chunks.
SNAPSHOT_BYTES_MAX: Final = 4_096 * MEBIBYTE

# --- Unary calls
# Seconds to wait for an answer when the caller gives no deadline, and at most.
ANSWER_SECONDS: Final = 10.0
# Seconds kept back from the caller's deadline (at most a fifth of it), so that it hears
# OUTCOME_UNKNOWN and not its own.
ANSWER_MARGIN_SECONDS: Final = 0.25
# Calls waiting for an answer, per shard.
UNARY_WAITING_MAX: Final = 10_000
# Commands of one BatchNewOrders or BatchCancelOrders.
UNARY_BATCH_MAX: Final = 50
# Ids of commands that a gateway makes.
ID_BYTES: Final = 16
# Accounts of one MassCancelFirm that wait for an answer at a time.
FIRM_CANCELS_AT_ONCE: Final = 32

# --- Market data
SUBSCRIPTIONS_MAX: Final = 1_000
STREAM_MARKETS_MAX: Final = 100
DEPTH_DEFAULT: Final = 50
DEPTH_MAX: Final = 1_000
CONFLATION_MAXIMUM_MS: Final = 60_000
CREDIT_GRANT_MAX: Final = 1_000_000
CREDIT_MAX: Final = 10_000_000
# Seconds without a message after which a market data stream says where the feed stands.
MARKET_DATA_HEARTBEAT_SECONDS: Final = 5.0
# Messages and bytes waiting for one subscription. L2 is sent anew beyond them; L3, trades end.
SUBSCRIPTION_PIECES_MAX: Final = 1_024
SUBSCRIPTION_BYTES_MAX: Final = MEBIBYTE
# Bytes waiting for one market data stream in all its subscriptions.
MARKET_DATA_BYTES_MAX: Final = 8 * MEBIBYTE
# Bytes of one message of market data or drop copy; well below what a receiver takes.
PAGE_BYTES_MAX: Final = MEBIBYTE

# --- Queries
PAGE_SIZE_DEFAULT: Final = 100
PAGE_SIZE_MAX: Final = 1_000
# Callers waiting for a sequence, per shard.
AS_OF_WAITING_MAX: Final = 10_000
# Seconds to wait for the history service.
HISTORY_SECONDS: Final = 5.0
# For custody's answer.
CUSTODY_SECONDS: Final = 5.0
# Seconds to wait for a history that is behind the feed, when the caller names no sequence; and
# between two looks at it.
HISTORY_LAG_SECONDS: Final = 1.0
HISTORY_POLL_SECONDS: Final = 0.05

# --- Identity
# Seconds a nonce lives, a token lives, and clocks may differ.
NONCE_SECONDS: Final = 30
TOKEN_SECONDS: Final = 300
CLOCK_SKEW_SECONDS: Final = 5
# Seconds between two looks for revoked or changed keys; so fast a revocation ends sessions.
KEY_WATCH_SECONDS: Final = 1.0
# API keys kept in memory; the least recently used goes.
KEYS_CACHED_MAX: Final = 10_000
# Public keys of one API key that are live at once: the present one and the next.
LIVE_PUBLIC_KEYS_MAX: Final = 2
KEY_ID_CHARACTERS_MAX: Final = 64
# Sessions per API key over all shards.
SESSIONS_PER_KEY_MAX: Final = 1_000
# Streams per API key and per process, stalled ones included.
STREAMS_PER_KEY_MAX: Final = 200
STREAMS_MAX: Final = 5_000
# Calls of one process at once, streams included.
CALLS_MAX: Final = 10_000
# Logon attempts of one address: per second, at once, and addresses told apart.
LOGONS_PER_SECOND: Final = 50
LOGONS_BURST: Final = 1_000
LOGON_ADDRESSES_MAX: Final = 10_000
# Commands per second of a key or an account that has no limit of its own; a burst is one second.
COMMANDS_PER_SECOND: Final = 1_000_000
# Accounts whose buckets are kept; the least recently used starts full again.
BUCKETS_MAX: Final = 100_000
# Unary calls without commands, per key.
CALLS_PER_SECOND: Final = 2_000
# Seconds the end of a connection is remembered for its client's return.
PREVIOUS_END_SECONDS: Final = 86_400
# Seconds between two times of forgetting nonces and ends that are over.
UPKEEP_SECONDS: Final = 10.0

# --- Drain
# Milliseconds between GoAway and the end of the streams.
DRAIN_MS: Final = 10_000
