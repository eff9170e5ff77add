"""What is remembered between runs. SQL lives here and nowhere else; each function does one thing."""
