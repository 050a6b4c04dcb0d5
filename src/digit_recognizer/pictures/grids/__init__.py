"""Grids and boxes of forms are found, straightened, and read cell by cell."""
