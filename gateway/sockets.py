"""Who reads the sockets of a gateway: the thread that waits for gRPC's completions, not a pool.

By default gRPC reads and writes sockets in a pool of threads of its own and then hands what came to
the thread that completes calls, which hands it to the loop. On few processors the hand-over costs
more than the work: without the pool a gateway used an eighth less processor time per command
(docs/adr/0006). Called once, before the first channel or server is made.
"""

from collections.abc import MutableMapping
from typing import Final

# gRPC reads this variable when it is first used. A name that a later version does not know is only
# logged; an operator's own setting stays.
VARIABLE: Final = "GRPC_EXPERIMENTS"
WITHOUT_POOL: Final = "-event_engine_client,-event_engine_listener"


def read_in_completing_thread(environment: MutableMapping[str, str]) -> None:
    """Sets the variable unless it is set."""
    environment.setdefault(VARIABLE, WITHOUT_POOL)
