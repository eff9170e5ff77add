"""What every test may use. This folder is on the path: `import twins` finds the memory twins of both services."""
