"""One module per family of data sets."""
