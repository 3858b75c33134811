"""The market half of the stand-in world, over real sockets in the sources' own formats."""
