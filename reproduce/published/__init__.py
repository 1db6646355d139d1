"""What is published, one YAML file per paper; read through :func:`reproduce.claims.load_papers`."""
