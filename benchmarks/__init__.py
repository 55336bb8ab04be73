"""`python -m benchmarks` prints the tables of the README: ratios against peers, measured in one run."""
