"""The admin port: what operators change and read while the service runs."""
