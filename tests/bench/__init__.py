"""Benchmarks: real processes on a real cluster, with pgbench as the yardstick of the same minute."""
