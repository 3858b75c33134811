"""The trading node: a pure trader, its order life, the shell that runs it, and recovery."""
