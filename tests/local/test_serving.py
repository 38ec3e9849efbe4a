"""Serving on loopback."""

import asyncio
import socket

from local.serving import listen


def test_what_is_answered_is_sent_at_once() -> None:
    """No answer waits until the caller has acknowledged the part before, for which systems take 40 ms and more."""
    assert not asyncio.run(_held_back_by_an_accepted_connection())


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
