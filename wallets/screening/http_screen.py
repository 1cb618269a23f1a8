"""A screening that is asked by HTTP: one POST per question, bounded, never followed elsewhere.

Made by the worker from its chain file. Anything but a well-formed verdict is no answer, and the
deposit or withdrawal waits. The address may hold a key: it is never repeated in a message.

    POST url {"deposit_id": hex, "chain", "network", "txid", "index", "address", "account_id",
              "symbol", "amount_atoms": text}
    POST url {"withdrawal_id": hex, "chain", "network", "address", "account_id", "symbol",
              "amount_atoms": text}
    200 {"verdict": "accept" | "hold" | "reject", "reason": "SANCTIONED", "reference": "case 7"}

A deposit is never rejected: its coins are here.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.http_posts import OK, Bounds, HttpPosts, read_json
from wallets.screening import limits
from wallets.screening.verdicts import PERMITTED, Answer, Question, Subject, Verdict

REASON: Final = re.compile(r"[A-Z0-9][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class ScreeningSettings:
    """Where the screening listens: `https`, or plain text on this machine only."""

    url: SecretStr
    # Sent as a bearer token.
    token: SecretStr | None = None
    timeout_seconds: int = 5

    def __post_init__(self) -> None:
        """Refuses what anybody on the way could answer, and waits without an end."""
        parts = urlsplit(self.url.get_secret_value())
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError("screening: url is none")
        if parts.scheme == "http" and not _is_here(parts.hostname):
            raise ValueError("screening: plain text to another machine")
        if not 1 <= self.timeout_seconds <= limits.TIMEOUT_SECONDS_MAX:
            raise ValueError(f"screening: timeout_seconds 1 to {limits.TIMEOUT_SECONDS_MAX}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpScreen(HttpPosts):
    """One endpoint. Use it as an asynchronous context."""

    def __init__(self, settings: ScreeningSettings) -> None:
        token = settings.token
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        answer_bytes_max, calls_max = limits.ANSWER_BYTES_MAX, limits.CALLS_MAX
        bounds = Bounds(settings.timeout_seconds, answer_bytes_max, calls_max)
        super().__init__("screening", headers, bounds)
        self._url = settings.url

    async def judge(self, question: Question) -> Answer:
        """Asks once; the header names the subject, so that a repeated question is known as one."""
        subject_id = question.subject_id.hex()
        told: dict[str, object] = {
            f"{question.subject}_id": subject_id,
            "chain": question.chain,
            "network": question.network,
            "address": question.address,
            "account_id": question.account_id,
            "symbol": question.symbol,
            "amount_atoms": str(question.amount_atoms),
        }
        if question.subject is Subject.DEPOSIT:
            told |= {"txid": question.txid, "index": question.index}
        answer = await self._send(
            self._url, json.dumps(told), "verdict", {"Idempotency-Key": subject_id}
        )
        if answer.status != OK:
            raise Unavailable(f"screening: HTTP {answer.status}")
        return read_answer(answer.content, question.subject)


def read_answer(content: bytes, subject: Subject) -> Answer:
    """A verdict that nobody can misread. Raises Unavailable for all else."""
    said = read_json(content, limits.ANSWER_DEPTH_MAX, "screening")
    if not isinstance(said, dict) or said.get("verdict") not in list(PERMITTED[subject]):
        raise Unavailable("screening: no verdict")
    reason, reference = said.get("reason", "NONE"), said.get("reference", "")
    if not isinstance(reason, str) or not REASON.fullmatch(reason):
        raise Unavailable("screening: a reason that is no name")
    if not isinstance(reference, str) or len(reference) > limits.REFERENCE_MAX:
        raise Unavailable("screening: a reference that is too long")
    # Postgres keeps no zero bytes in text.
    return Answer(Verdict(said["verdict"]), reason, reference.replace("\0", ""))
