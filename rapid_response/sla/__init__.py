"""The two-hour clock: when it starts, warns, climbs the ladder, stops, and is missed."""
