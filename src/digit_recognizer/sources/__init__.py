"""Bytes of any kind become Digits."""
