"""A Tornado application without protection and without an access log, with the response bodies of the service."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import tornado.web

CLAIMS = json.loads(os.environ["CLAIMS"])


class Hello(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"message": "Hello world!"})


class WhoAmI(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(dict(CLAIMS))


async def main() -> None:
    application = tornado.web.Application(
        [(r"/api/hello", Hello), (r"/api/whoami", WhoAmI)], log_function=lambda _: None
    )
    application.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
