"""What a server tells: one file a subject, each with its model, a pure parse and its ``Query``."""
