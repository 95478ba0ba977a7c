"""Benchmarks: each module prints a table and returns figures for JSON; never a timed test."""
