"""The HTTP side: one module for each group of addresses."""
