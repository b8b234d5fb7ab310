"""What the service calls: the cache, and the APIs of others."""
