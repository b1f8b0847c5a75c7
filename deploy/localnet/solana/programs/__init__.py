"""The on-chain programs of our own (C source, linker, committed builds) that the local network loads."""
