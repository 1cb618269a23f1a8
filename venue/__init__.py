"""A whole venue on one machine: demo, long-running venue, order flow and the independent checker.

It may import every public face (SDK, settings of the services by environment, protos), never the
inside of a service.
"""
