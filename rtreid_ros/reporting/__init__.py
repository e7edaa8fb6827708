"""Reports that people look at: one HTML file each, no network, no scripts.

* `svg`, `page`: drawing and laying out, in light and dark;
* `courses`: who was followed by which track, frame by frame;
* `timeline`, `charts`: pictures of that and of scores;
* `results`, `evaluation`: the report of ``rtreid eval --report`` and ``rtreid report``.
"""
