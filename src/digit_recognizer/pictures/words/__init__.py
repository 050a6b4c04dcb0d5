"""Marks become words, their pieces and candidates for digits, and the best way through them."""
