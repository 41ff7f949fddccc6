"""Base classes of the handlers, and the execution of faults."""
