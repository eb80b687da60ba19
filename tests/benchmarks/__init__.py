"""Benchmarks: each prints ratios against a baseline measured in the same run. Not collected by pytest."""
