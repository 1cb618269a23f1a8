"""The door of the gateway: which method may be called by whom, and how a call looks inside."""
