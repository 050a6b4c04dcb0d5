"""Digits of seven segments are read by their bars."""
