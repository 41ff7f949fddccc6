"""The mutable state of a running issuer: clock, keys, tokens, sessions, faults and the journal."""
