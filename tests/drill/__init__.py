"""Drills: what operators have to trust, done for real and measured. `bin/drill NAME`; not part of `bin/test`."""
