"""What the service does by itself: loops that look for what is due, and do it in steps.

`loops` says when each looks, `worker` which there are; the other modules have one loop's passes each.
"""
