"""Authorization by a user: in the browser, on a device (RFC 8628) or over the backchannel (CIBA)."""
