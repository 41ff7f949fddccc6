"""Running the fake issuer as a process or a thread: options, sockets, routes, logs, and the interface for tests."""
