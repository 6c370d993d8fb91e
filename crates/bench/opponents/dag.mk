# {a,b} -> {c,d} -> e -> f -> g -> h with GNU make: every recipe is one process that does nothing.
.PHONY: a b c d e f g h
h: g
g: f
f: e
e: c d
c d: a b
a b c d e f g h:
	@/bin/true
