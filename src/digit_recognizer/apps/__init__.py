"""Doors that parse, call and print."""
