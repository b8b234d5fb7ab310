"""What the doctor looks at: facts are gathered here, and judged elsewhere."""
