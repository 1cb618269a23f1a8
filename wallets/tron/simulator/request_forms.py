"""Requests of a simulated node: base58 under `visible`, and a real node's words on bad ones. Pure.

Used by the server before any route reads a body.
"""

import json
from typing import Any, Final

import base58

from wallets.tron.simulator.messages import Json

NOT_AN_OBJECT: Final = "class com.alibaba.fastjson.JSONException : can not cast to JSONObject."
NO_BYTES: Final = (
    'class java.lang.NullPointerException : Cannot read the array length because "bytes" is null'
)
PARSE: Final = "class org.tron.core.services.http.JsonFormat$ParseException"
# Fields that hold accounts.
ACCOUNTS: Final = frozenset(
    {"address", "owner_address", "to_address", "account_address", "receiver_address"}
    | {"contract_address", "fromAddress", "toAddress"}
)
NUMBERS: Final = frozenset({"num", "amount", "balance", "frozen_balance", "unfreeze_balance"})
TEXTS: Final = frozenset(
    {"resource", "function_selector", "asset", "permission_name", "type", "type_url", "txID"}
)


def hexadecimal(body: Any) -> Any:
    """A request with every base58 account as hexadecimal text. Raises ValueError."""
    return mapped(body, lambda text: base58.b58decode_check(text).hex())


def readable(answer: Any) -> Any:
    """An answer with every account as base58 text."""
    return mapped(answer, lambda text: base58.b58encode_check(bytes.fromhex(text)).decode())


def mapped(value: Any, change: Any) -> Any:
    """The same JSON with its accounts changed."""
    if isinstance(value, list):
        return [mapped(one, change) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(found)
        if name in ACCOUNTS and isinstance(found, str) and found
        else mapped(found, change)
        for name, found in value.items()
    }


def parse_error(body: Json) -> Json:
    """What a real node says to the first value of a request that it cannot read."""
    for name, value in body.items():
        marker = f"{json.dumps(name)}: "
        column = json.dumps(body).index(marker) + len(marker) + 1
        if isinstance(value, float) or (isinstance(value, str) and name in NUMBERS):
            shown = value if isinstance(value, float) else json.dumps(value)
            words = f'Couldn\'t parse integer: For input string: "{shown}"'
            return {"Error": f"{PARSE} : 1:{column}: {words}"}
        if isinstance(value, str) and name not in TEXTS and not is_hexadecimal(value):
            return {"Error": f"{PARSE} : 1:{column}: INVALID hex String"}
    return {"Error": "class java.lang.NullPointerException : null"}


def is_hexadecimal(text: str) -> bool:
    """Whether a text is bytes in hexadecimal notation, of whatever length."""
    return set(text.lower()) <= set("0123456789abcdef")
