"""The gateway as a process: `python -m tests.gateway_server --port 0`.

Prints one line of JSON (`base_url`, `api_key`), then serves until its standard input ends or Ctrl-C comes.
With `--script`, the answers are given in turn, over and over; without, the last user message comes back, with
`--trouble` as such a gateway would.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys

from .from_json import read_answers
from .server import API_KEY, GatewayServer
from .trouble import Trouble


def main() -> None:
    options = _parse()
    answers = read_answers(json.loads(options.script))
    with GatewayServer(port=options.port, api_key=options.api_key) as server:
        if options.models:
            server.models = json.loads(options.models)
        if answers:
            turns = itertools.cycle(answers)
            server.answer_with(lambda _: next(turns))
        elif options.trouble:
            server.answer_with(Trouble(**json.loads(options.trouble)))
        print(json.dumps({"base_url": server.base_url, "api_key": server.api_key}), flush=True)
        try:
            # The end of the input is the end of whoever started us: nothing is left running then.
            sys.stdin.read()
        except KeyboardInterrupt:
            return


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gateway_server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key", default=API_KEY)
    parser.add_argument("--script", default="[]", help="a JSON list of answers; see from_json.py")
    parser.add_argument("--models", default="", help="a JSON list of the models that there are")
    parser.add_argument("--trouble", default="", help="what `Trouble` is made of, as a JSON object")
    return parser.parse_args()


if __name__ == "__main__":
    main()
