"""Metrics for Prometheus, and the state of the program for operators."""
