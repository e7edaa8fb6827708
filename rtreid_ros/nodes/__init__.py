"""The ROS 2 nodes: parameters, topics, QoS, conversion and error policy around the stages."""
