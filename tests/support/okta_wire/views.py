"""Which part of an answer a row looks at: the body, what is in a token of it, what goes to the client by a redirect."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plain_http import Response
from scripted_browser import forms

Members = Mapping[str, Any]
View = Callable[[Response], Members]

SHOWN_CODE = re.compile(rb"<code>([^<]*)</code>")
MESSAGE = re.compile(r'data-members="([^"]*)"')
CHALLENGED = re.compile(r'\berror="([^"]*)"')


def body(answer: Response) -> Members:
    """The JSON object of the body, nothing for an empty body or a page."""
    if not answer.body or "json" not in (answer.headers["Content-Type"] or ""):
        return {}
    members: Members = answer.json()
    return members


def first_of(name: str) -> View:
    """The first object of a list in the body; without a name the body is the list."""
    return lambda answer: (answer.json()[name] if name else answer.json())[0]


def listed(name: str, member: str) -> View:
    """One member of each object of a list, by its place; without a name the body is the list."""
    places = ("first", "second", "third")

    def view(answer: Response) -> Members:
        objects = answer.json()[name] if name else answer.json()
        return {place: found[member] for place, found in zip(places, objects, strict=False)}

    return view


def jose_header(name: str) -> View:
    """The header of a token in the body."""
    return lambda answer: _part(body(answer)[name], 0)


def claims(name: str) -> View:
    """The claims of a token in the body."""
    return lambda answer: _part(body(answer)[name], 1)


def redirected(answer: Response) -> Members:
    """What a redirect takes along, in the query or the fragment."""
    parts = urlsplit(answer.headers["Location"] or "")
    return dict(parse_qsl(parts.fragment or parts.query))


def redirected_claims(answer: Response) -> Members:
    """The claims of the ID token that a redirect takes along."""
    return _part(redirected(answer)["id_token"], 1)


def posted(answer: Response) -> Members:
    """What the form of a page takes along."""
    return forms(answer)[0][1]


def messaged(answer: Response) -> Members:
    """What the script of a page tells the window that opened it."""
    data = MESSAGE.search(answer.body.decode())
    members: Members = json.loads(html.unescape(data[1])) if data else {}
    return members


def code_of(answer: Response, members: Members) -> str:
    """The error code of an answer, wherever it stands; empty if there is none."""
    challenge = CHALLENGED.search(answer.headers["WWW-Authenticate"] or "")
    shown = SHOWN_CODE.search(answer.body)
    if challenge:
        return challenge[1]
    return shown[1].decode() if shown else str(members.get("error", members.get("errorCode", "")))


def _part(token: str, number: int) -> Members:
    part = token.split(".")[number]
    members: Members = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members
