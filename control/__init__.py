"""The operator: scales the wallet deployment of each chain, and asks markets to halt or resume.

Never on the order path: with all of it down, trading goes on. No money is ever lost by what it
does or fails to do.
"""
