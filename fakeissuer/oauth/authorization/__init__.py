"""The authorization endpoint's work: `request` reads, `flow` decides what is next, `response` goes to the client."""
