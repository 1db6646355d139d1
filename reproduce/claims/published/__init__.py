"""What is published, one YAML file per paper; read through :func:`reproduce.claims.papers.load_papers`."""
