"""Where replies come from: the gateway, its models, and the embedded model."""
