"""Flask with okta-jwt-verifier, as Okta's guide shows, for gunicorn."""

from __future__ import annotations

import asyncio
import os

from flask import Flask, Response, jsonify, request
from okta_jwt_verifier import BaseJWTVerifier

ISSUER = os.environ["ISSUER"]
verifier = BaseJWTVerifier(issuer=ISSUER, audience="api://default")
app = Flask(__name__)


@app.get("/api/hello")
def hello() -> Response:
    return jsonify(message="Hello world!")


@app.get("/api/whoami")
def whoami() -> tuple[Response, int]:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        asyncio.run(verifier.verify_access_token(token))
    except Exception:  # noqa: BLE001  # the library raises its own errors and those of its parts
        return jsonify(error="invalid_token"), 401
    _, claims, *_ = verifier.parse_token(token)
    return jsonify(claims), 200
