"""The engine: a pure walk over a workflow that can stop anywhere and go on where it stopped."""
