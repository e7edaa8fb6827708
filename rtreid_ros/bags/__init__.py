"""rosbag2 folders without ROS: what is in them, and the way to MOTChallenge folders and back."""
