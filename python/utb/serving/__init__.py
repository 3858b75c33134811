"""What every process that serves HTTP shares: addresses, signals, clients that read nothing."""
