"""The chain half of the stand-in world: a real virtual machine, slots, forks and AMM pools."""
