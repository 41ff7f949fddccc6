"""The checks of ``check`` for this machine and the settings, which send nothing to the network."""
