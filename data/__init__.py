"""The embedded data sets: one ``.npz`` and one card (YAML) each; read through ``tfq_fusion.datasets``."""
