"""The parent process: starts, watches and replaces the workers."""
