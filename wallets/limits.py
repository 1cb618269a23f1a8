"""Every bound of custody's core, by name. Adapters and the signer have their own."""

from typing import Final

# A worker that does not finish a step in this time may be overtaken; the token keeps it harmless.
CLAIM_SECONDS: Final = 60.0
# Between two looks at a payout that waits.
PAUSE_SECONDS: Final = 5.0
# A started payout that waits for coins for so long is overtaken by none of its priority any more.
STARVED_SECONDS: Final = 600.0
# How long a settled payout is watched for a reorganisation, and how much of its age lies between
# two looks: ten thousand of them cost little.
SETTLED_WATCH_SECONDS: Final = 86_400.0
SETTLED_PAUSE_OF_AGE: Final = 0.1
# Until something else happens: a hundred years.
NEVER_SECONDS: Final = 3_155_760_000.0
# Failed or dead attempts after which a payout fails and its money goes back.
ATTEMPTS_MAX: Final = 5
# Commands of one source that are read at once.
OUTBOX_PAGE: Final = 1_000
# Inputs owned by open attempts of a network; above it nothing new is built.
OWNED_INPUTS_MAX: Final = 100_000
# Nodes of one network.
NODES_MAX: Final = 9
# A node that lied, lags or is on another chain is not asked for so long.
QUARANTINE_SECONDS: Final = 60.0
# Characters of a node's own words that are kept.
NODE_WORDS_MAX: Final = 200
# Until a node takes a connection.
NODE_CONNECT_SECONDS: Final = 3.0
# Shards that one process of custody follows.
SHARDS_MAX: Final = 64
# Processes of which one is the primary of a shard.
ENGINES_PER_SHARD_MAX: Final = 8
