"""The authorization endpoint: ``request`` parses, ``flow`` chooses the next step, ``response`` redirects."""
