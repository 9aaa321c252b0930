"""Where a home lies: postcodes, whose area they are in, and where on the map."""
