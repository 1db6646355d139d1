"""The tables: one module or folder each, which holds a ``TABLE``."""
