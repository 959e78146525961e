"""One module per provider, found by framework/registry.py: adding one edits no list."""
