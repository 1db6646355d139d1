"""How many weights the fusions have."""
