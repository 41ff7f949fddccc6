"""The processes of the program: a supervisor, and workers that serve the same sockets."""
