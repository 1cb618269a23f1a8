"""Limits of the shared floor, each with unit and reason; every service works under them."""

from typing import Final

# Bytes. One message received over gRPC; also grpcio's own default. Larger things are paged.
RECEIVE_BYTES_MAX: Final = 4 * 1024 * 1024
# Bytes. One HTTP/2 frame that we take; by default a message comes in pieces of 16 KiB, each with
# work of its own. How much may be on its way is bounded by windows, not by this.
FRAME_BYTES_MAX: Final = 256 * 1024
# Bytes. What a stream between services may send ahead of its reader, and read from a socket at once
# (measured: 7 % less processor time per command than 64 KiB windows and small reads). Such streams
# are few; each of our clients' has the small window.
BULK_WINDOW_BYTES: Final = 4 * 1024 * 1024
BULK_READ_BYTES: Final = 256 * 1024
BULK_READ_BYTES_MIN: Final = 64 * 1024
# Bytes. Metadata of one call; a token and a trace context fit many times over.
METADATA_BYTES_MAX: Final = 8 * 1024
# Milliseconds. A peer that opens TCP and says nothing is dropped; grpcio would wait 120 s.
HANDSHAKE_TIMEOUT_MILLISECONDS: Final = 5_000
# Streams of one connection. grpcio advertises no limit, and rapid resets then starve the rest.
CONCURRENT_STREAMS_MAX: Final = 100
# Milliseconds. A silent peer (no FIN) is found after interval + timeout = 15 s.
KEEPALIVE_INTERVAL_MILLISECONDS: Final = 10_000
KEEPALIVE_TIMEOUT_MILLISECONDS: Final = 5_000
# Milliseconds. The fastest ping we allow; grpcio's default of 5 min ends clients that ping.
PING_INTERVAL_MINIMUM_MILLISECONDS: Final = 5_000
# Connections of one pool. Services run a handful of statements at a time; 16 of them fit in
# Postgres' default of 100 connections with six processes.
POOL_CONNECTIONS_MAX: Final = 16
# Seconds a caller waits for a pooled connection before it hears Unavailable.
POOL_WAIT_SECONDS: Final = 5.0
# Seconds to open a connection, and for one statement unless its caller says otherwise.
CONNECT_TIMEOUT_SECONDS: Final = 10.0
STATEMENT_TIMEOUT_SECONDS: Final = 30.0
# Prepared statements kept per connection; a service has some dozens of texts.
STATEMENT_CACHE_SIZE: Final = 100
# Seconds a migration waits for another process that migrates the same schema.
MIGRATION_LOCK_SECONDS: Final = 60
# Spans waiting for export; beyond that the newest are dropped and counted by the SDK.
SPAN_QUEUE_MAX: Final = 8_192
# Traced orders of one batch that get spans and links; also the SDK's own limit of links.
SPAN_LINKS_MAX: Final = 128
# Seconds an export may take, retries included; a collector that is away delays our end by as much.
EXPORT_SECONDS: Final = 3
# Seconds between two exports of metrics.
METRIC_INTERVAL_SECONDS: Final = 10.0
# Seconds that a reader of the metrics page may be silent.
SCRAPE_SECONDS: Final = 5.0
# Seconds between SIGTERM and the end of unfinished work; Kubernetes kills after 30.
DRAIN_SECONDS: Final = 20.0
