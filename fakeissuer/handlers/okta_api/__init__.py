"""The parts of Okta's management and authentication APIs that tests use."""
