"""The matching service of one shard: sequences commands, commits them, releases what they caused.

Roles (`python -m matching serve | snapshotter | projector | migrate`) share the journal code. Only
the primary writes the journal, and only behind the fence.
"""
