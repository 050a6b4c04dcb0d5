"""Engines beyond one machine: the batch job's tasks, done by the workers of a Ray cluster."""
