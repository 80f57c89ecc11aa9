"""LiveKit's signalling without media: a WebSocket of our own, so that many clients fit into one process and what each
address answered is seen. For asyncio. SPDX-License-Identifier: MIT
"""
import asyncio
import base64
import os
import time
import urllib.parse

from livekit.protocol.rtc import SignalRequest, SignalResponse

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """Another answer than 101."""

    def __init__(self, status, text):
        super().__init__(f"{status} {text!r}")
        self.status, self.text = status, text


class Client:
    """One participant. After connect(): join, LiveKit's first word; node_id, who hosts the room; connect_s."""

    def __init__(self, url, token, path="/rtc"):
        self.where = urllib.parse.urlsplit(url)
        self.token, self.path = token, path
        self.seen, self.join, self.left, self.writer = set(), None, False, None
        self._reading = None

    async def __aenter__(self):
        return await self.connect()

    async def __aexit__(self, *_):
        await self.close()

    async def connect(self, timeout=20):
        """SignalResponse.join is the first word of a session, and stays in self.join."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout):
                await self._upgrade()
                self.join = (await self._response()).join
        except BaseException:
            self._drop()
            raise
        self.connect_s = time.perf_counter() - began
        self.identity, self.node_id = self.join.participant.identity, self.join.server_info.node_id
        self._notice(self.join.other_participants)
        self._reading = asyncio.create_task(self._read())
        return self

    async def sees(self, identity, timeout=20):
        """Waits until LiveKit has told of that participant."""
        async with asyncio.timeout(timeout):
            while identity not in self.seen:
                await asyncio.sleep(0.01)

    async def close(self, leave=True):
        """leave: as a client that hangs up; else its connection breaks."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self.writer is not None and leave:
            goodbye = SignalRequest()
            goodbye.leave.reason = 1
            await self._send(BINARY, goodbye.SerializeToString())
        self._drop()

    def _drop(self):
        if self.writer is not None:
            self.writer.close()
        self.writer = None

    async def _upgrade(self):
        query = urllib.parse.urlencode({"access_token": self.token, "protocol": 15, "auto_subscribe": 1})
        self.reader, self.writer = await asyncio.open_connection(self.where.hostname, self.where.port, limit=1 << 20)
        self.writer.write((f"GET {self.path}?{query} HTTP/1.1\r\nHost: {self.where.netloc}\r\nConnection: Upgrade\r\n"
                           "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                           f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n").encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        if status != 101:
            raise Refused(status, await self._body(head.lower()))

    async def _body(self, head):
        if "content-length:" not in head:
            return ""
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        return (await self.reader.readexactly(length)).decode(errors="replace")

    async def _frame(self):
        first, second = await self.reader.readexactly(2)
        length = second & 127
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        return first & 15, await self.reader.readexactly(length)

    async def _response(self):
        """The next word of LiveKit's; pings are answered meanwhile."""
        while True:
            kind, data = await self._frame()
            if kind == PING:
                await self._send(PONG, data)
            if kind == CLOSE:
                raise EOFError("closed by the other side")
            if kind == BINARY:
                return SignalResponse.FromString(data)

    async def _send(self, kind, data):
        """Masked, as clients must; the mask of zeros leaves the data as they are."""
        size = bytes([128 | len(data)]) if len(data) < 126 else bytes([128 | 126]) + len(data).to_bytes(2, "big")
        try:
            self.writer.write(bytes([128 | kind]) + size + bytes(4) + data)
            await self.writer.drain()
        except OSError:
            pass                                      # the other side went first

    async def _read(self):
        try:
            while True:
                word = await self._response()
                self._notice(word.update.participants)
                self.left = self.left or word.HasField("leave")
        except (OSError, EOFError):
            self.left = True

    def _notice(self, participants):
        self.seen.update(p.identity for p in participants)


async def all_of(clients, at_once=None):
    """Connects them all, no more than at_once at a time; whoever was refused is in the answer as the exception."""
    gate = asyncio.Semaphore(at_once or max(len(clients), 1))

    async def one(client):
        async with gate:
            return await client.connect()
    return await asyncio.gather(*(one(c) for c in clients), return_exceptions=True)


async def close_all(clients):
    await asyncio.gather(*(c.close() for c in clients))
