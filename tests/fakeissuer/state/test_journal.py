from __future__ import annotations

from fakeissuer.state.journal import ConnectionCounter, Journal, JournalEntry


class Connection:
    """Stands for a TCP connection."""


def entry(endpoint: str = "keys", server: str = "default", connection: int = 1) -> JournalEntry:
    return JournalEntry(
        method="GET",
        path="/",
        endpoint=endpoint,
        server=server,
        time=0.0,
        connection=connection,
        credentials=None,
    )


def test_requests_are_counted_by_endpoint_and_server() -> None:
    journal = Journal()
    for endpoint, server, connection in (("keys", "default", 1), ("keys", "partner", 1), ("token", "default", 2)):
        journal.add(entry(endpoint, server, connection))
    asked = [(None, None), ("keys", None), (None, "default"), ("keys", "partner"), ("revoke", None)]
    answers = [journal.read(*question) for question in asked]
    assert [(answer.count, answer.connections) for answer in answers] == [(3, 2), (2, 1), (2, 2), (1, 1), (0, 0)]


def test_a_later_status_is_included() -> None:
    journal = Journal()
    request = entry()
    journal.add(request)
    assert journal.read().requests[0].status is None
    request.status = 200
    assert journal.read().requests[0].status == 200


def test_counts_are_not_limited_by_the_capacity() -> None:
    journal = Journal(capacity=2)
    for connection in range(5):
        journal.add(entry(connection=connection))
    answer = journal.read()
    assert (len(answer), answer.connections, [request.connection for request in answer]) == (5, 5, [3, 4])


def test_the_latest_matching_requests_are_returned_oldest_first() -> None:
    journal = Journal()
    for connection in range(4):
        journal.add(entry(server="default" if connection % 2 else "partner", connection=connection))
    told = [journal.read(None, server, latest) for server, latest in ((None, 2), ("partner", 1), (None, 0))]
    assert [[request.connection for request in answer] for answer in told] == [[2, 3], [2], []]
    assert [answer.count for answer in told] == [4, 2, 4]


def test_the_number_of_distinguished_connections_is_limited() -> None:
    journal = Journal(max_connections=3)
    for connection in (1, 2, 3, 1, 4, 1):
        journal.add(entry(connection=connection))
    assert (journal.read().count, journal.read().connections, list(journal._keys_by_connection)) == (6, 3, [3, 4, 1])


def test_the_journal_can_be_cleared() -> None:
    journal = Journal()
    journal.add(entry())
    journal.clear()
    assert journal.read().count == 0


def test_an_open_connection_keeps_its_number() -> None:
    connections = ConnectionCounter()
    one, other = Connection(), Connection()
    assert [connections.number(connection) for connection in (one, other, one)] == [1, 2, 1]
    del one
    assert connections.number(Connection()) == 3
