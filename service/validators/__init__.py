"""Token validators: each module implements one kind, named as in the settings."""
