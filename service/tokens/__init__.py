"""Parsing, verification and claim checks of tokens: pure functions, without I/O, Tornado or a clock."""
