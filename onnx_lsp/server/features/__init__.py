"""One module per feature: each has `register(server)` and the handlers it registers."""
