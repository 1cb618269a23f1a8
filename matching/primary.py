"""The parts of a primary, put together; RPCs reach them through the shard's state."""

from dataclasses import dataclass

from matching.journal.reader import JournalReader
from matching.release.answers import Answers
from matching.release.released import Released
from matching.sequencer.clock import SequencerClock
from matching.sequencer.committer import Committer
from matching.sequencer.inbox import Inbox
from matching.sequencer.sequencer import Sequencer


@dataclass(frozen=True, slots=True)
class Primary:
    """One term as primary."""

    inbox: Inbox
    sequencer: Sequencer
    committer: Committer
    released: Released
    answers: Answers
    time: SequencerClock
    reader: JournalReader
