"""The request that code runs for: its ID on every log line, and its span if tracing is on."""
