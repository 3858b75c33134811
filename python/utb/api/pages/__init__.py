"""Pages for people: the dashboard's files and the API's own description."""
