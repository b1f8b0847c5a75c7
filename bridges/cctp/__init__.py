"""Circle CCTP v2: USDC is burned on one chain and minted on another, against an attestation of Circle."""
