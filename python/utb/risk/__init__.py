"""Risk: size, caps, breakers and the one gate every order passes; pure, no clock, no I/O."""
