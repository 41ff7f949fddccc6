"""The program's sockets: binding them, taking them over from systemd, and the TLS on them; and messages to systemd."""
