"""The tables that claims are held against, by name."""

TABLES = {
    "table1": "Multimodal fusion on small, diverse data sets.",
    "table2": "How fusion holds up as modalities multiply, on those of its data sets that are here.",
    "table3": "What the fusions can and cannot do: polynomials, telling channels apart, parameters.",
    "table4": "Accuracy over parameters, of the evidence fusion network and of classical ones.",
    "table5": "What QFL owes to its parts, how its gradients decay, and what noise and devices cost it.",
}
"""Every table and what it is about. ``<name>.csv`` in a results folder is its results file; no other file is one."""
