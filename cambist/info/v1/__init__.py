"""Generated from protos/ by `make protos`; not written by hand."""
