"""Serving on loopback."""

import asyncio
import logging
import socket

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.serving import listen, serving
from tests.skipping_loop import SkippingLoop, play


def test_what_is_answered_is_sent_at_once() -> None:
    """No answer waits until the caller has acknowledged the part before, for which systems take 40 ms and more."""
    assert not asyncio.run(_held_back_by_an_accepted_connection())


@pytest.mark.parametrize("request_", [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", b"POST / HT"])
def test_a_client_that_hangs_up_is_no_fault_of_ours(request_: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """In the middle of its request, or of the answer: nothing of it reaches the log as an error."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        await Response(body)(scope, receive, send)

    async def hang_up() -> None:
        bound = listen()
        async with serving(answer, [bound]):
            _, caller = await asyncio.open_connection(*bound.getsockname())
            caller.write(request_)
            await caller.drain()
            caller.close()
            await caller.wait_closed()

    asyncio.run(hang_up())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_connection_is_kept_until_its_client_has_given_it_up() -> None:
    """.NET's client, Microsoft's extension among them, keeps an idle one for a minute."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("here")(scope, receive, send)

    async def ask_again(loop: SkippingLoop) -> None:
        bound = listen()
        async with serving(answer, [bound]):
            answers, caller = await asyncio.open_connection(*bound.getsockname())
            for _ in range(2):
                caller.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await answers.readuntil(b"here")).startswith(b"HTTP/1.1 200")
                loop.skip(60)
                await asyncio.sleep(0.01)
            caller.close()
            await caller.wait_closed()

    play(ask_again)


async def _held_back_by_an_accepted_connection() -> bool:
    told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.set_result(not writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = listen()
    async with await asyncio.start_server(answer, sock=bound):
        _, caller = await asyncio.open_connection(*bound.getsockname())
        held_back = await told
        caller.close()
        await caller.wait_closed()
    return held_back
