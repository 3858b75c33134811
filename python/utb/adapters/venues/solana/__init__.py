"""The chain as a venue: orders routed, built, signed, sent and followed until they are settled."""
