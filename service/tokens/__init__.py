"""Pure rules: what a token is and when it is good, without I/O, without Tornado, without a clock of their own."""
