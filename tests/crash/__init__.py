"""Crashes: real processes, killed at random, counted afterwards."""
