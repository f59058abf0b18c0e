"""The data plane: one evaluation of one or many monitors on Spark."""
