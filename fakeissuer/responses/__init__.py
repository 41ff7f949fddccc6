"""Status, headers and body of a response before it is sent."""
