"""Says what is wrong, in words for people: ``check`` with the issuers and the settings, ``explain`` with one token.

Both walk the rules that the service itself applies; neither has any of its own.
"""
