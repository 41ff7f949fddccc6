"""Runs code in a kernel of Jupyter."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tornado.websocket import WebSocketClientConnection


async def run(socket: WebSocketClientConnection, code: str) -> str:
    """Run code in the kernel of a WebSocket, and return what it prints."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "test", "username": ""}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": {"code": code, "silent": False}}
    await socket.write_message(json.dumps(message | {"channel": "shell", "buffers": []}))
    while (received := await socket.read_message()) is not None:
        answer: dict[str, Any] = json.loads(received)
        if answer["msg_type"] == "stream":
            return str(answer["content"]["text"])
    raise AssertionError(f"closed with {socket.close_code} before the kernel printed anything")
