"""Benchmarks: rates and latencies beside a ceiling measured in the same run."""

import os

# As in `venue`: processes are started while gRPC has threads.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
