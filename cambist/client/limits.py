"""Limits of the SDK, each with unit and reason."""

from typing import Final

# Bytes. One message; the venue pages what is larger.
RECEIVE_BYTES_MAX: Final = 4 * 1024 * 1024
# Bytes. One HTTP/2 frame: a large message comes whole and not in many pieces.
FRAME_BYTES_MAX: Final = 256 * 1024
# Bytes. Answers that a session's stream may send ahead of its reader. Other streams have the small
# window: what runs ahead there is stale when it is read.
SESSION_WINDOW_BYTES: Final = 256 * 1024
# Order sessions of a client that share a connection. An edge takes 64 connections of an address,
# with 100 streams each; what breaks a connection breaks all its sessions, so not all share one.
CONNECTION_SESSIONS_MAX: Final = 16
# Milliseconds. A silent peer (no FIN) is found after interval + timeout = 15 s.
KEEPALIVE_INTERVAL_MS: Final = 10_000
KEEPALIVE_TIMEOUT_MS: Final = 5_000
# Milliseconds between attempts of a channel to connect: a new primary serves within 3 s.
RECONNECT_FIRST_MS: Final = 50
RECONNECT_MAX_MS: Final = 1_000

# Seconds before its end at which a token is renewed: longer than a slow logon.
TOKEN_RENEW_SECONDS: Final = 60
# Seconds a unary call may take when the caller says nothing.
CALL_SECONDS: Final = 10.0
# Seconds a process may take to tell its status: whoever asks asks again.
STATUS_SECONDS: Final = 2.0
# Accounts of one question of an operator: the venue's bound.
ACCOUNTS_ASKED_MAX: Final = 1_000
# Attempts and seconds in which a call that changes nothing is tried again when unavailable.
READ_ATTEMPTS_MAX: Final = 8
READ_RETRY_SECONDS: Final = 15.0

# Commands put into one batch by themselves: beyond it the gain per order is below a tenth.
AUTO_BATCH_COMMANDS: Final = 256
# Bytes of commands put into one batch by themselves: far below what a gateway takes.
AUTO_BATCH_BYTES: Final = 256 * 1024
# Commands of one explicit batch: what the engine takes in one envelope.
BATCH_COMMANDS_MAX: Final = 1_000
# Commands without an answer per session; `submit` waits beyond. Cancels may go above by a share.
UNANSWERED_MAX: Final = 10_000
UNANSWERED_CANCELS_EXTRA: Final = 2_000
# Share of the venue's credit that orders leave to cancels, as a divisor.
CANCEL_CREDIT_SHARE: Final = 8

# Milliseconds between heartbeats; the venue takes 1,000 to 60,000.
KEEP_ALIVE_MS: Final = 2_000
# Milliseconds in which a reconnect cancels nothing.
WINDOW_MS: Final = 30_000
# Intervals without a message after which the venue counts as lost.
KEEP_ALIVE_LAPSES: Final = 3
# Seconds until the first answer of a stream.
ESTABLISH_SECONDS: Final = 15.0
# Seconds without any connection after which a session gives up.
GIVE_UP_SECONDS: Final = 300.0
# Seconds between attempts to reconnect: first, doubling, at most.
BACKOFF_FIRST_SECONDS: Final = 0.05
BACKOFF_MAX_SECONDS: Final = 1.0
# Ends in a row by a fault of protocol or a refusal after which a session gives up.
FAULTS_MAX: Final = 5
# Seconds a close waits for the venue's last word.
CLOSE_SECONDS: Final = 2.0
# Events waiting for one listener. Full = the stream is not read until the listener goes on.
EVENTS_WAITING_MAX: Final = 100_000

# Messages granted at once to a market data stream; granted again when half is used.
MARKET_DATA_CREDIT: Final = 10_000
# Levels per side of a book's snapshot; deeper levels become known as they change.
BOOK_DEPTH: Final = 1_000
# Levels per side that the venue's CRC covers.
CRC_LEVELS: Final = 10
# Subscriptions anew in a row without a sound message in between.
RESUBSCRIPTIONS_MAX: Final = 10
# Entries of one page of a query.
PAGE_SIZE: Final = 500
