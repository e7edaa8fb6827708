"""What our launch files share; needs ROS's `launch` and `launch_ros`, which nothing else of ours does.

* `arguments`: every argument, described once, and their values;
* `nodes`: our nodes with the parameters and topics that the arguments ask for;
* `lifecycle`: they are configured and activated, and what happens if that fails.
"""
