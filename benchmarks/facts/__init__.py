"""The scripts that make the tables of `rules/targets`: `python -m benchmarks.facts.NAME`, each says what it needs."""
