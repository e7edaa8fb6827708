"""Loading and running neural networks, for the detection and the ReID stage."""
