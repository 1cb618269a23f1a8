"""Every bound of proofs of reserves, by name."""

from typing import Final

# Of one asset; a customer who read an older report may still ask for the proof below it.
REPORTS_KEPT: Final = 3
# Writing one: millions of nodes.
PUBLISH_SECONDS: Final = 600.0
