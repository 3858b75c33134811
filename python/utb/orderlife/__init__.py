"""The order life: pure, without I/O and clock; live, simulation and exploration all drive it."""
