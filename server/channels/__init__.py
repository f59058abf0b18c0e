"""How messages reach people and machines: one module a kind of channel."""
