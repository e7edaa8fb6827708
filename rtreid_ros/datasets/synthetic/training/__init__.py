"""How the built-in detector is made and both built-in models are judged; all of it that needs torch."""
