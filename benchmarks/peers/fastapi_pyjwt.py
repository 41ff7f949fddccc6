"""FastAPI with PyJWT's ``PyJWKClient``, as its documentation shows, under uvicorn."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ["ISSUER"]
keys = jwt.PyJWKClient(f"{ISSUER}/v1/keys")
app = FastAPI()


def claims(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
    token = credentials.credentials
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=["RS256"], audience="api://default", issuer=ISSUER)


@app.get("/api/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello world!"}


@app.get("/api/whoami")
async def whoami(token: Annotated[dict[str, Any], Depends(claims)]) -> dict[str, Any]:
    return token


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
