"""What the service talks to, as processes of their own: its neighbour over HTTP, and the sink of its telemetry."""
