"""Searching for tracker options on stored detections, judged against ground truth.

* `space`: what is searched, as the options themselves declare it;
* `objective`: a tracker with given options, played and judged;
* `search`: which options to try next (Optuna);
* `split`: what is tuned on and what is held back;
* `tuner`, `result`: all of it together, and what came of it;
* `record`, `page`: what is written.
"""
