"""What a node sees of the graph around it, and why no data comes."""
