"""Guards have teeth: each line of the code that keeps a promise is switched off, and some test must notice."""
