"""What goes over the wire: images, detections, tracks, markers, to arrays and back."""
