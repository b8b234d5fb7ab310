"""What money, categories and budgets mean; no I/O."""
