"""How the bot is: status and the top bar."""
