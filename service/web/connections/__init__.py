"""The server's side of client connections: accepting them, and the limits of what one client can use."""
