"""A whole venue on one machine: demo, long-running venue, order flow and the independent checker.

It may import every public face (SDK, settings of the services by environment, protos), never the
inside of a service.
"""

import os

# Its processes start others while gRPC has threads, and never use gRPC in a child they fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
