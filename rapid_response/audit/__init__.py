"""The auditor: whether every open incident is cared for, read from the rows by queries of its own.

Nothing here imports what it checks (steps, rules, the agenda's own code): a fault there must not blind the
eye that looks for it. What the auditor finds missing is put right elsewhere (`steps.mending`).
"""
