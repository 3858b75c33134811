"""`/ws`: what is new, to everyone who subscribed, without ever waiting for one of them."""
