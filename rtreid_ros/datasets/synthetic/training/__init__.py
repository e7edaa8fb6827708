"""How the two built-in models are made; the only part of the synthetic world that needs torch."""
