//! Black-box tests: the program as a user calls it.
