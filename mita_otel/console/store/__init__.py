"""What the console keeps: one SQLite file, written by one thread and read by many."""
