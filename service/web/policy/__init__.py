"""The requirements that a handler states on its class and its methods."""
