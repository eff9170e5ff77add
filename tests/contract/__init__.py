"""One contract for every connector: what the engine may rely on, asked of the memory twins and of the real connectors
over the stand-ins of `demo/`, so that neither of them knows less than the other."""
