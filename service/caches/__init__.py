"""What was found out before, within bounds."""
