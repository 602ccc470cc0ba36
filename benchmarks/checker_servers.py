"""The servers that the checker's benchmark watches: HTTP and HTTPS, fast and 200 ms slow."""

import asyncio
import multiprocessing
import os
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SLOW_S: Final = 0.2
BODY: Final = b"<html><body>" + b"All is well. " * 150 + b"OK</body></html>"
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nServer: benchmark\r\nDate: Sun, 22 Nov 2026 06:40:04 GMT\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
    b"Strict-Transport-Security: max-age=63072000\r\nX-Content-Type-Options: nosniff\r\n"
    b"Vary: Accept-Encoding\r\nConnection: close\r\n"
    b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)
Ports = dict[str, int]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


def _handler(delay_s: float) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if delay_s:
                await asyncio.sleep(delay_s)
            writer.write(ANSWER)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return handle


async def _serve(sockets: dict[str, socket.socket], certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    for name, sock in sockets.items():
        handler = _handler(SLOW_S if "slow" in name else 0)
        tls = context if name.startswith("https") else None
        await asyncio.start_server(handler, sock=sock, ssl=tls, backlog=2048)
    await asyncio.Event().wait()


def _run(sockets: dict[str, socket.socket], certificate: Path, cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)
    asyncio.run(_serve(sockets, certificate))


@contextmanager
def servers(certificate: Path, cores: set[int]) -> Iterator[Ports]:
    """Run the servers in a process of their own on `cores`; yield their ports by name."""
    names = ("http", "https", "http slow", "https slow")
    sockets = {name: socket.create_server(("127.0.0.1", 0), backlog=2048) for name in names}
    process = multiprocessing.get_context("fork").Process(
        target=_run, args=(sockets, certificate, cores), daemon=True
    )
    process.start()
    try:
        yield {name: sock.getsockname()[1] for name, sock in sockets.items()}
    finally:
        process.terminate()
        process.join()
