"""What running the service takes: sockets, limits, health, logs, and words for what is wrong."""
