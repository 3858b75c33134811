"""What is known of a running bot: a replica folded from its records, health, metrics, logs."""
