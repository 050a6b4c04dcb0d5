"""Numbers, plots and the report about digits and models."""
