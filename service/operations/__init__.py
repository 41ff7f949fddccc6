"""What running the service takes: sockets, limits, health, logs."""
