"""MITA Finance: the reference service, ordinary FastAPI code that the distribution instruments."""
