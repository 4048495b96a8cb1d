"""Configuration: the frozen model, and loading it with every error placed."""
