"""Everything unknot says, understands and may be told to do differently, as data; never code."""
