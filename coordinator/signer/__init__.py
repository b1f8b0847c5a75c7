"""The signer: a process of its own that holds the keys, decodes what it is asked to sign, and refuses what its own rules do not allow."""
