"""The benchmark of layers: an epoch of one hybrid model, through each library's own layer."""
