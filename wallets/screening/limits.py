"""Every bound of screening, by name; those of the deposits' look are in `wallets.deposits`."""

from typing import Final

# Questions at once: steps of payouts ask side by side.
CALLS_MAX: Final = 8
TIMEOUT_SECONDS_MAX: Final = 60
ANSWER_BYTES_MAX: Final = 16_384
ANSWER_DEPTH_MAX: Final = 8
REFERENCE_MAX: Final = 200
# After a question about a withdrawal got no answer, no other is asked for so long: payouts that are
# signed are not kept waiting behind time limits of questions.
SILENCE_SECONDS: Final = 5.0
# Held withdrawals that one list shows.
HELD_SHOWN_MAX: Final = 1_000
