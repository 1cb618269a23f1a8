"""Benchmarks: rates and latencies beside a ceiling measured in the same run."""
