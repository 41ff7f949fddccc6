"""What a request is entitled to, decided without HTTP."""
