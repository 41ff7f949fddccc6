"""The programs that store the shared cache: this process, Redis and memcached, and how their failures are named."""
