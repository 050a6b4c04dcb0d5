"""Pictures by the million: a source becomes tasks, an engine has them done, every task leaves one Parquet part."""
