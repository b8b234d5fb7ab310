"""Circuit breakers side by side: the same script through each, and what a call through a closed one costs."""
