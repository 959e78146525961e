"""Runs saved as tests: frozen, judged against what must still come out, asked before publishing."""
