"""How telemetry comes in: OTLP over HTTP and gRPC, answered when it is stored."""
