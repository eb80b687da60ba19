"""The connections: what is told of a request on its way."""

from __future__ import annotations

import asyncio

import httpx2

from metask_magic.gateway.transport import _teller


def test_the_first_request_tells_once_all_of_it_has_gone_out() -> None:
    told: list[str] = []

    async def body() -> None:
        watch = _teller(lambda: told.append("sent"))
        first, second = (httpx2.Request("POST", "http://127.0.0.1/v1") for _ in range(2))
        await watch(first)
        await watch(second)
        trace = first.extensions["trace"]
        for step in ("send_request_headers.complete", "send_request_body.started"):
            await trace(f"http11.{step}", {})
        assert told == []
        await trace("http11.send_request_body.complete", {})
        assert told == ["sent"]
        assert "trace" not in second.extensions

    asyncio.run(body())
