"""Every bound of the link, by name."""

from typing import Final

# Before a stream that ended is opened again.
RECONNECT_SECONDS: Final = 0.5
# Between two looks at the outbox; the engine's answer takes longer than that on any chain.
POLL_SECONDS: Final = 0.1
# A sender that does not renew in this time may be replaced; two at once are only wasteful.
LEASE_SECONDS: Final = 10.0
# An engine that does not welcome a link in this time is asked anew.
WELCOME_SECONDS: Final = 5.0
# Rows without anything for custody after which the cursor moves; as many are read twice at most.
ROWS_PER_CURSOR: Final = 1_000
# How often within a lease's life it is renewed.
RENEWALS: Final = 3
