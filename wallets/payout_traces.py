"""One trace per payout, across worker, approver and signer, without a word on the wire.

The ids of its trace follow from the withdrawal's id, which all three know. The worker's span of the
whole payout is the root; spans of stages and of calls hang below it, also before there is a root.
Pure. A span says which withdrawal and how it ended, never what was signed.
"""

from hashlib import blake2b
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

# Of a withdrawal's id; what is longer or shorter is none.
ID_BYTES: Final = 16
TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8
PERSON: Final = b"cambist-payout"
# There are few payouts beside orders: every one is traced.
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
WITHDRAWAL: Final = "cambist.withdrawal_id"


def context_of(withdrawal_id: bytes) -> SpanContext:
    """Ids of a payout's root span: the same in every process."""
    size = TRACE_BYTES + SPAN_BYTES
    digest = blake2b(withdrawal_id, digest_size=size, person=PERSON).digest()
    trace_id = int.from_bytes(digest[:TRACE_BYTES], "big") or 1
    span_id = int.from_bytes(digest[TRACE_BYTES:], "big") or 1
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=SAMPLED)


def below(withdrawal_id: bytes) -> Context:
    """Where spans of a payout's stages and calls belong."""
    return trace.set_span_in_context(NonRecordingSpan(context_of(withdrawal_id)), Context())
