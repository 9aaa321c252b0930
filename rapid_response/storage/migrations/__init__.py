"""The schema's revisions, oldest first in `versions`; `draft.py` writes new ones."""
