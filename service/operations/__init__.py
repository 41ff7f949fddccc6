"""Running the service: sockets, workers, limits, logs, metrics, the admin port, and the diagnostic commands."""
