"""What people post, read into the bodies of the API, with kind messages where something is missing.

A field's name is its path in the API's body (`caller.phone`), so that the API's own errors (`errors:
[{field, message}]`) land on the right field without a table between the two.
"""
