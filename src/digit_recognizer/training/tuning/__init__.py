"""Searching for a better recipe: trials drawn at random, the poorer ones given up early, all kept in a table."""
