"""What is particular to each kind of authorization server, and the settings that say it."""
