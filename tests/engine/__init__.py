"""Tests of the engine over memory twins of both services and a real SQLite file."""
