"""Generative adversarial networks of people's pictures. Needs torch (extra ``train``)."""
