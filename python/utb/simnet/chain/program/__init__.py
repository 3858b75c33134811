"""The planted-script program: what runs at the AMMs' addresses, and the scripts it reads."""
