"""AMM pools of the stand-in chain: their accounts, their swaps, and who re-pegs them."""
