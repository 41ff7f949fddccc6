"""The built-in handlers: health, resource metadata, forward authentication, docs, and the guide's examples."""
