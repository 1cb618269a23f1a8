"""The frozen ceiling: what the same bytes cost without a venue.

Client → relay → sink over bare gRPC streams of bytes; the sink inserts one row per natural batch
into two journal tables by the venue's statement, and answers. No codec, no kernel, no checks. A
test pins the text of this package: to change it is to change the benchmark, which the changelog
must say.
"""
