"""What each page shows: one plain dataclass a template, made by whoever reads the database.

A view holds only what its page may show: whoever fills it leaves out (None, empty) what the viewer may not
see. Times are aware and in UTC; the page shows them in the service's zone. Money is pence. Nothing here
asks for the time: `Site.now` says it.
"""
