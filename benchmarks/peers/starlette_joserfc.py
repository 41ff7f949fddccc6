"""Starlette with joserfc, whose key set is fetched once, under uvicorn."""

from __future__ import annotations

import json
import os
import sys
import urllib.request

import uvicorn
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ISSUER = os.environ["ISSUER"]
with urllib.request.urlopen(f"{ISSUER}/v1/keys") as response:
    keys = KeySet.import_key_set(json.load(response))
rules = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": "api://default"}
)


async def hello(_request: Request) -> Response:
    return JSONResponse({"message": "Hello world!"})


async def whoami(request: Request) -> Response:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    try:
        token = jwt.decode(text, keys, algorithms=["RS256"])
        rules.validate(token.claims)
    except (JoseError, ValueError):
        return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": scheme or "Bearer"})
    return JSONResponse(token.claims)


app = Starlette(routes=[Route("/api/hello", hello), Route("/api/whoami", whoami)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
