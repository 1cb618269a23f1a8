"""Limits of the operator, each with unit and reason."""

from typing import Final

# Seconds. One request to the API server; a slower one is not worth waiting for, the queue retries.
REQUEST_SECONDS: Final = 5.0
# Seconds. A request of the Lease loop: two of them must fit before the leader stops acting.
LEASE_REQUEST_SECONDS: Final = 1.0
# Seconds between two looks at the Lease.
LEASE_INTERVAL_SECONDS: Final = 1.0
# Seconds without a renewal after which the leader no longer acts, on its monotonic clock.
LEASE_ACT_SECONDS: Final = 3.0
# Seconds without a change after which another replica takes the Lease; above the act limit by
# more than one request, so that two never act at once.
LEASE_DURATION_SECONDS: Final = 5
# Objects of one page of a list.
PAGE_OBJECTS: Final = 200
# Pages of one list; 200,000 objects.
PAGES_MAX: Final = 1_000
# Seconds between two full lists that check what the watches told.
RESYNC_SECONDS: Final = 20.0
# Lists in a row that found what a watch had missed, before the watches are started anew.
MISSES_MAX: Final = 2
# Seconds without a word of the Lease after which the watches count as stalled.
WATCH_STALL_SECONDS: Final = 15.0
# Keys that are reconciled at the same time.
WORKERS: Final = 8
# Seconds after which a failed key is tried again: first, and at most.
BACKOFF_FIRST_SECONDS: Final = 0.5
BACKOFF_MAX_SECONDS: Final = 60.0
# Seconds one reconcile may take; the ladder of a market is the longest.
RECONCILE_SECONDS: Final = 60.0
# Seconds between two looks at a chain when nothing is heard: staleness is found by it.
CHAIN_INTERVAL_SECONDS: Final = 5.0
# Seconds between two looks at a chain that is being drained.
DRAIN_INTERVAL_SECONDS: Final = 0.5
# Seconds between two looks at a market when nothing changes: a halt of the engine's own is told.
MARKET_INTERVAL_SECONDS: Final = 10.0
# Seconds between two reconciles of one key that signals ask for.
SIGNAL_INTERVAL_SECONDS: Final = 1.0
# Seconds between two writes of a status in which only figures differ.
FIGURES_SECONDS: Final = 5.0
# Seconds until a lost stream of signals is opened again: first, and at most.
STREAM_RETRY_FIRST_SECONDS: Final = 0.5
STREAM_RETRY_MAX_SECONDS: Final = 5.0
# Seconds without a signal after which a stream is opened anew; workers speak every 5 s.
STREAM_SILENT_SECONDS: Final = 12.0
# Workers one replica listens to; a chain has at most 100.
STREAMS_MAX: Final = 2_000
# Seconds of an Undrain call.
UNDRAIN_SECONDS: Final = 5.0
# Seconds after a scale-down in which its drained pods are expected to go.
RELEASE_SECONDS: Final = 15.0
# Past wishes kept per chain; at one a second the longest window is 3,600.
WISHES_MAX: Final = 3_700
# Seconds of one call to the engine's admin port.
ENGINE_SECONDS: Final = 3.0
# Seconds that definitions of a shard are used for before they are asked for again.
DEFINITIONS_SECONDS: Final = 1.0
# Characters of a condition's message and of an event's note; the API server takes 1,024 of these.
NOTE_CHARACTERS_MAX: Final = 1_000
# Blocks behind the tip from which a chain counts as stalled.
SCAN_LAG_BLOCKS_MAX: Final = 20
# Seconds between SIGTERM and the end of what still runs.
STOP_SECONDS: Final = 1.0
# Seconds between two looks of a Job of the chart.
JOB_POLL_SECONDS: Final = 1.0
# Seconds within which the operator must be seen to renew its Lease, before Markets and WalletChains
# are applied; its image may have to be pulled first.
OPERATOR_SECONDS: Final = 100.0
# Seconds that workers may take to get empty before an uninstall goes on.
UNINSTALL_DRAIN_SECONDS: Final = 100.0
# Seconds for one handshake with the edge, and between two: its certificate changes seldom.
EDGE_SECONDS: Final = 5.0
EDGE_INTERVAL_SECONDS: Final = 60.0
