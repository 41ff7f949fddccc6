from __future__ import annotations

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from service.web.connections.forwarded import parse_node, read_forwarded, read_x_forwarded

PEER = ipaddress.ip_address("10.0.0.1")
CLIENT = ipaddress.ip_address("192.0.2.1")
VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
SYNTAX = st.text(st.sampled_from('for=proto;host,"\\[]:. 129_%'))


@given(sent=VISIBLE | SYNTAX)
@example(sent='for=9.9.9.9;x="')
def test_a_client_chooses_no_address_by_what_it_sends_before_the_proxy_appends(sent: str) -> None:
    for name, read, entry in (
        ("Forwarded", read_forwarded, "for=192.0.2.1"),
        ("X-Forwarded-For", read_x_forwarded, "192.0.2.1"),
    ):
        report = read(HTTPHeaders({name: f"{sent}, {entry}"}), PEER, lambda address: address == PEER)
        assert report is not None
        assert report.client in {PEER, CLIENT}


@given(address=st.ip_addresses(), port=st.none() | st.integers(0, 65535))
def test_an_address_is_parsed_with_and_without_port(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int | None
) -> None:
    text = f"[{address.compressed.partition('%')[0]}]" if address.version == 6 else str(address)
    expected = getattr(address, "ipv4_mapped", None) or address
    assert expected == parse_node(text if port is None else f"{text}:{port}")


@given(text=VISIBLE | SYNTAX)
def test_any_text_is_an_address_or_none(text: str) -> None:
    node = parse_node(text)
    assert node is None or str(node)
