"""The newest report of each worker. What is claimable is the chain's, so the newest one counts."""

from dataclasses import dataclass
from typing import Final

from cambist.internal.wallets.v1 import wallets_pb2
from control.scaling.decision import Signal

MILLISECONDS_PER_SECOND: Final = 1_000
Report = wallets_pb2.StreamSignalsResponse


@dataclass(frozen=True, slots=True)
class Heard:
    """One report and when it was heard, in seconds of the monotonic clock."""

    at: float
    pod: str
    report: Report

    def signal(self) -> Signal:
        """As the decision takes it. Ages go on while nobody reports; staleness judges that."""
        age = self.report.oldest_claimable_age_ms / MILLISECONDS_PER_SECOND
        return Signal(self.at, self.report.claimable_count, age)


class Board:
    """Reports by chain and worker; workers that went are taken off."""

    def __init__(self) -> None:
        self._heard: dict[str, dict[str, Heard]] = {}
        # The newest report of a chain outlives its worker: it goes stale, not missing.
        self._newest: dict[str, Heard] = {}
        # The newest report of a worker that follows the blocks: one at a time does.
        self._scanning: dict[str, Heard] = {}

    def report(self, chain: str, pod: str, report: Report, at: float) -> bool:
        """Takes a report; whether it says other than this worker's last one."""
        known = self._heard.setdefault(chain, {}).get(pod)
        heard = Heard(at, pod, report)
        self._heard[chain][pod] = self._newest[chain] = heard
        if report.scanning:
            self._scanning[chain] = heard
        return known is None or known.report != report

    def forget(self, chain: str, pod: str) -> None:
        """The worker went."""
        self._heard.get(chain, {}).pop(pod, None)

    def forget_chain(self, chain: str) -> None:
        """The WalletChain went."""
        self._heard.pop(chain, None)
        self._newest.pop(chain, None)
        self._scanning.pop(chain, None)

    def newest(self, chain: str) -> Heard | None:
        """The newest report of any worker."""
        return self._newest.get(chain)

    def scanning(self, chain: str) -> Heard | None:
        """The newest report of a worker that follows the chain's blocks."""
        return self._scanning.get(chain)

    def of_pod(self, chain: str, pod: str) -> Heard | None:
        """One worker's."""
        return self._heard.get(chain, {}).get(pod)
