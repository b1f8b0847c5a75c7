/* The few declarations a small Solana program in C needs: types, syscalls, error codes and the input parser.
 * The layout follows the loader's documented ABI (accounts serialised one after another, then data, then program id).
 */
#ifndef LOCALNET_SOLANA_H
#define LOCALNET_SOLANA_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

typedef struct { u8 bytes[32]; } Pubkey;

typedef struct {
  Pubkey *key;
  u64 *lamports;
  u64 data_len;
  u8 *data;
  Pubkey *owner;
  u64 rent_epoch;
  _Bool is_signer, is_writable, executable;
} AccountInfo;

typedef struct { Pubkey *key; _Bool is_writable, is_signer; } AccountMeta;
typedef struct { Pubkey *program_id; AccountMeta *accounts; u64 account_len; u8 *data; u64 data_len; } Instruction;
typedef struct { const u8 *addr; u64 len; } Seed;
typedef struct { const Seed *addr; u64 len; } SignerSeeds;

extern u64 sol_log_(const char *text, u64 len);
extern u64 sol_log_64_(u64, u64, u64, u64, u64);
extern u64 sol_invoke_signed_c(const Instruction *, const AccountInfo *, int, const SignerSeeds *, int);
extern u64 sol_create_program_address(const Seed *, int, const Pubkey *program, Pubkey *out);
extern u64 sol_set_return_data(const u8 *, u64);

#define INLINE static inline __attribute__((always_inline))

/* A program's own error is a plain number (Custom(n)); the built-in ones live in the upper half. */
#define CUSTOM(n) ((u64)(n))
#define BUILTIN(n) (((u64)(n)) << 32)
#define INVALID_ARGUMENT BUILTIN(2)
#define INVALID_INSTRUCTION_DATA BUILTIN(3)
#define INVALID_ACCOUNT_DATA BUILTIN(4)
#define INCORRECT_PROGRAM_ID BUILTIN(7)
#define MISSING_REQUIRED_SIGNATURE BUILTIN(8)
#define ACCOUNT_ALREADY_INITIALIZED BUILTIN(9)
#define NOT_ENOUGH_ACCOUNT_KEYS BUILTIN(11)

/* Every number the programs read lies at a multiple of 8 from an aligned start, so plain loads are fine. */
INLINE u64 load64(const u8 *at) { return *(const u64 *)at; }
INLINE void store64(u8 *at, u64 value) { *(u64 *)at = value; }

INLINE _Bool same_key(const Pubkey *a, const Pubkey *b) {
  const u64 *x = (const u64 *)a, *y = (const u64 *)b;
  return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

INLINE void copy_key(Pubkey *to, const Pubkey *from) {
  u64 *x = (u64 *)to;
  const u64 *y = (const u64 *)from;
  x[0] = y[0]; x[1] = y[1]; x[2] = y[2]; x[3] = y[3];
}

#define DATA_GROWTH 10240   /* the loader leaves this much room behind each account's data */

/* Fills at most `max` accounts from the loader's input; returns how many the caller passed. */
INLINE u64 parse_input(u8 *in, AccountInfo *accounts, u64 max, u8 **data, u64 *data_len, Pubkey **program) {
  u64 count = load64(in);
  in += 8;
  for (u64 i = 0; i < count; i++) {
    u8 same_as = in[0];
    if (same_as != 0xff) {            /* the same account again: eight bytes name its first place */
      if (i < max) accounts[i] = accounts[same_as];
      in += 8;
      continue;
    }
    AccountInfo account;
    account.is_signer = in[1] != 0;
    account.is_writable = in[2] != 0;
    account.executable = in[3] != 0;
    in += 8;
    account.key = (Pubkey *)in;
    account.owner = (Pubkey *)(in + 32);
    account.lamports = (u64 *)(in + 64);
    account.data_len = load64(in + 72);
    account.data = in + 80;
    in = (u8 *)(((u64)(account.data + account.data_len + DATA_GROWTH) + 7) & ~7UL);
    account.rent_epoch = load64(in);
    in += 8;
    if (i < max) accounts[i] = account;
  }
  *data_len = load64(in);
  *data = in + 8;
  *program = (Pubkey *)(in + 8 + *data_len);
  return count;
}

#endif
