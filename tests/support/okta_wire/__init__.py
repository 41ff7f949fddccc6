"""What Okta's servers answer, a row a case: the tests hold the fake issuer to the rows, and a page is made of them.

``row`` says what a row is, ``world`` what it may lean on, ``views`` which part of an answer it looks at, ``masks``
which values change from run to run; ``sections`` holds the rows, and ``page`` writes
docs/reference/okta-on-the-wire.rst.
"""
