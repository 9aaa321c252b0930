"""A small telephone network with durable phones: a party of its own, which knows nothing of incidents.

It stands where the provider would: it takes texts and calls through the gateway port, and tells us of them
through the same signed webhooks, so that signature, parsing and duplicates run as they do in production.
"""
