"""The control plane: which monitors there are, when they are due, who evaluated them, and who is told."""
