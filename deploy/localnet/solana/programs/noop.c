/* Does nothing and succeeds. Hyperlane's mailbox calls a program at spl-noop's address only to leave a log. */
#include "solana.h"

u64 entrypoint(u8 *input) { return 0; }
