"""The groups of settings, each a base class of the settings of the program."""
