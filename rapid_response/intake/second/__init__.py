"""The second reader: a council's own language model, asked afterwards, that may only suggest to a person."""
