"""One file for each family of endpoints: ``base`` says how all of Okta's behave, ``control`` how those of tests do."""
