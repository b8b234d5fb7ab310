"""Benchmarks: ratios from runs side by side, interleaved, medians of at least five rounds."""
