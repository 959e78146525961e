"""The workflow language: its shape, its expressions and conditions, and what may be wrong with a definition."""
