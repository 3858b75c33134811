"""The stand-in world: a generated market in the sources' own formats."""
