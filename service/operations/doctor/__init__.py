"""The commands ``check`` for issuers and settings, and ``explain`` for one token.

Both apply the rules of the service and have none of their own.
"""
