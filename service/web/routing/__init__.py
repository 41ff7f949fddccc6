"""Checks that every route is protected or public, and wraps handlers of other packages."""
