"""Every bound of the treasury, by name."""

from typing import Final

# Between two looks.
STEP_SECONDS: Final = 10.0
# Of one transfer's fee, in millionths of what it moves, and at least so much.
FEE_MILLIONTHS_MAX: Final = 10_000
FEE_ATOMS_LEAST: Final = 100_000
# Files of one refill.
TEXTS_MAX: Final = 32
