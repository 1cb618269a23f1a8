"""`python -m benchmarks.ceiling relay|sink …`: the two servers, started by `benchmarks.venue`."""

import argparse
import os
import sys

import uvloop

from benchmarks.ceiling import relay, sink


def main() -> int:
    """Serves until it is ended; the DSN comes in CEILING_DSN, where other users do not see it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("relay", "sink"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sink", default="")
    parser.add_argument("--answer-bytes", type=int, default=90)
    parser.add_argument("--row-bytes", type=int, default=140)
    given = parser.parse_args()
    if given.role == "relay":
        uvloop.run(relay.serve(given.sink, given.port))
    else:
        sizes = sink.Sizes(given.answer_bytes, given.row_bytes)
        uvloop.run(sink.serve(os.environ["CEILING_DSN"], given.port, sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
