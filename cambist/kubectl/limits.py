"""Limits of the plugin, each with unit and reason."""

from typing import Final

# Seconds. One call of kubectl; with a far API server some take several.
KUBECTL_SECONDS: Final = 30.0
# Seconds between two looks at what the operator did.
POLL_SECONDS: Final = 0.3
# Lines of each pod's log in a report.
LOG_LINES: Final = 2_000
# Pods in a report.
REPORT_PODS_MAX: Final = 100
