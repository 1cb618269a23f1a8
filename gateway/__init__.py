"""The edge for firms: authenticates, meters, holds sessions open and moves frames.

Stateless; any number of processes. `python -m gateway serve` is the process. It must never decide
anything about orders or money: matching does, and what a client sees was committed before.
"""
