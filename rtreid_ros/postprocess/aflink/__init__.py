"""Appearance-free linking of tracklets (AFLink): features, model, linking, and training.

Du et al., "StrongSORT: Make DeepSORT Great Again", IEEE Transactions on Multimedia 2023,
section 3.3.
"""
