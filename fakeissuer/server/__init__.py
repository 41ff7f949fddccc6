"""One fake issuer as a process or a thread: sockets, options, logs, and the object that a test uses."""
