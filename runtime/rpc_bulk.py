"""gRPC options of the streams that move commands and rows between services.

The server and the channel of such a stream both take them. Never on a port that firms reach: a
window this large, for each of their streams, would be memory that they decide on.
"""

from typing import Any, Final

from runtime import limits

BULK_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.http2.lookahead_bytes", limits.BULK_WINDOW_BYTES),
    ("grpc.experimental.tcp_read_chunk_size", limits.BULK_READ_BYTES),
    ("grpc.experimental.tcp_min_read_chunk_size", limits.BULK_READ_BYTES_MIN),
)
