"""Settings of the program and of each issuer, and the sources that they are read from."""
