/* A constant-product pool: two SPL token vaults owned by a program address, a fee in basis points, a least amount out.
 *
 * amount out = reserve_out * net / (reserve_in + net),  net = amount_in * (10000 - fee_bps) / 10000,  both rounded down.
 *
 * Pool account, 184 bytes, owned by this program:
 *   0 magic u64 | 8 fee_bps u64 | 16 bump u8 + 7 zero | 24 mint A | 56 mint B | 88 vault A | 120 vault B | 152 token program
 * Instruction 0, open:  {0 u8, bump u8, fee_bps u16}
 *   accounts: pool [signer, writable], authority, vault A, vault B, token program
 * Instruction 1, swap:  {1 u8, 7 zero bytes, amount_in u64, least_out u64}
 *   accounts: pool, authority, user [signer], user source [w], user target [w], vault in [w], vault out [w], token program
 * The authority is the program address of the seeds {pool key, bump}. Return data of a swap: amount out, u64.
 * Own errors: 1 nothing to swap, 2 reserve overflow, 6001 less than least_out (the number Jupiter uses).
 */
#include "solana.h"

#define MAGIC 0x31304d4d41544e4cUL   /* "LNTAMM01" read as a little-endian number */
#define POOL_SIZE 184
#define TOKEN_ACCOUNT_SIZE 165
#define BPS 10000
#define NOTHING_TO_SWAP CUSTOM(1)
#define RESERVE_OVERFLOW CUSTOM(2)
#define LESS_THAN_LEAST_OUT CUSTOM(6001)

enum { FEE_BPS = 8, BUMP = 16, MINT_A = 24, MINT_B = 56, VAULT_A = 88, VAULT_B = 120, TOKEN_PROGRAM = 152 };

/* a * b as high:low; there is no 128-bit arithmetic in the instruction set. */
INLINE void multiply(u64 a, u64 b, u64 *high, u64 *low) {
  u64 a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  u64 p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
  u64 middle = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
  *low = (middle << 32) | (p00 & 0xffffffff);
  *high = p11 + (p01 >> 32) + (p10 >> 32) + (middle >> 32);
}

/* high:low / divisor by long division; the caller makes sure that high < divisor, so the quotient fits. */
INLINE u64 divide(u64 high, u64 low, u64 divisor) {
  u64 quotient = 0, rest = high;
  for (int bit = 63; bit >= 0; bit--) {
    u64 carry = rest >> 63;
    rest = (rest << 1) | ((low >> bit) & 1);
    quotient <<= 1;
    if (carry || rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}

INLINE u64 share(u64 a, u64 b, u64 divisor) {
  u64 high, low;
  multiply(a, b, &high, &low);
  return divide(high, low, divisor);
}

INLINE Pubkey *token_mint(const AccountInfo *account) { return (Pubkey *)account->data; }
INLINE Pubkey *token_owner(const AccountInfo *account) { return (Pubkey *)(account->data + 32); }
INLINE u64 token_amount(const AccountInfo *account) { return load64(account->data + 64); }
INLINE Pubkey *pool_key(const AccountInfo *pool, u64 at) { return (Pubkey *)(pool->data + at); }

/* SPL token Transfer: {3, amount}. `accounts` is every account the caller holds, as the runtime wants it. */
INLINE u64 transfer(AccountInfo *accounts, u64 from, u64 to, u64 authority, u64 amount, const SignerSeeds *seeds, int n) {
  u8 data[9];
  data[0] = 3;
  for (int i = 0; i < 8; i++) data[1 + i] = (u8)(amount >> (8 * i));
  AccountMeta metas[3] = {
    { accounts[from].key, 1, 0 }, { accounts[to].key, 1, 0 }, { accounts[authority].key, 0, 1 },
  };
  Instruction instruction = { accounts[7].key, metas, 3, data, sizeof data };
  return sol_invoke_signed_c(&instruction, accounts, 8, seeds, n);
}

INLINE u64 open_pool(AccountInfo *accounts, u64 count, const u8 *data, u64 data_len, Pubkey *program) {
  if (count < 5) return NOT_ENOUGH_ACCOUNT_KEYS;
  if (data_len < 4) return INVALID_INSTRUCTION_DATA;
  AccountInfo *pool = &accounts[0], *authority = &accounts[1], *a = &accounts[2], *b = &accounts[3], *token = &accounts[4];
  if (!pool->is_signer) return MISSING_REQUIRED_SIGNATURE;
  if (!same_key(pool->owner, program)) return INCORRECT_PROGRAM_ID;
  if (pool->data_len < POOL_SIZE) return INVALID_ACCOUNT_DATA;
  if (load64(pool->data) != 0) return ACCOUNT_ALREADY_INITIALIZED;

  u64 fee_bps = data[2] | ((u64)data[3] << 8);
  if (fee_bps >= BPS) return INVALID_ARGUMENT;
  u8 bump = data[1];
  Seed seeds[2] = { { (u8 *)pool->key, 32 }, { &bump, 1 } };
  Pubkey expected;
  if (sol_create_program_address(seeds, 2, program, &expected)) return INVALID_ARGUMENT;
  if (!same_key(&expected, authority->key)) return INVALID_ARGUMENT;

  for (int i = 2; i < 4; i++) {
    if (!same_key(accounts[i].owner, token->key) || accounts[i].data_len < TOKEN_ACCOUNT_SIZE) return INVALID_ACCOUNT_DATA;
    if (!same_key(token_owner(&accounts[i]), authority->key)) return INVALID_ACCOUNT_DATA;
  }
  if (same_key(token_mint(a), token_mint(b))) return INVALID_ARGUMENT;

  store64(pool->data, MAGIC);
  store64(pool->data + FEE_BPS, fee_bps);
  store64(pool->data + BUMP, bump);
  copy_key(pool_key(pool, MINT_A), token_mint(a));
  copy_key(pool_key(pool, MINT_B), token_mint(b));
  copy_key(pool_key(pool, VAULT_A), a->key);
  copy_key(pool_key(pool, VAULT_B), b->key);
  copy_key(pool_key(pool, TOKEN_PROGRAM), token->key);
  return 0;
}

INLINE u64 swap(AccountInfo *accounts, u64 count, const u8 *data, u64 data_len, Pubkey *program) {
  enum { POOL, AUTHORITY, USER, SOURCE, TARGET, VAULT_IN, VAULT_OUT, TOKEN };
  if (count < 8) return NOT_ENOUGH_ACCOUNT_KEYS;
  if (data_len < 24) return INVALID_INSTRUCTION_DATA;
  AccountInfo *pool = &accounts[POOL], *in = &accounts[VAULT_IN], *out = &accounts[VAULT_OUT];
  if (!same_key(pool->owner, program) || pool->data_len < POOL_SIZE || load64(pool->data) != MAGIC) return INCORRECT_PROGRAM_ID;
  if (!accounts[USER].is_signer) return MISSING_REQUIRED_SIGNATURE;
  if (!same_key(accounts[TOKEN].key, pool_key(pool, TOKEN_PROGRAM))) return INCORRECT_PROGRAM_ID;
  _Bool a_to_b = same_key(in->key, pool_key(pool, VAULT_A)) && same_key(out->key, pool_key(pool, VAULT_B));
  _Bool b_to_a = same_key(in->key, pool_key(pool, VAULT_B)) && same_key(out->key, pool_key(pool, VAULT_A));
  if (!a_to_b && !b_to_a) return INVALID_ARGUMENT;

  u64 amount_in = load64(data + 8), least_out = load64(data + 16);
  u64 reserve_in = token_amount(in), reserve_out = token_amount(out);
  if (!amount_in || !reserve_in || !reserve_out) return NOTHING_TO_SWAP;
  u64 net = share(amount_in, BPS - load64(pool->data + FEE_BPS), BPS);
  if (reserve_in + net < reserve_in) return RESERVE_OVERFLOW;
  u64 amount_out = share(reserve_out, net, reserve_in + net);
  if (amount_out < least_out) {
    sol_log_("less than least_out: out, least, reserves, in", 45);
    sol_log_64_(amount_out, least_out, reserve_in, reserve_out, amount_in);
    return LESS_THAN_LEAST_OUT;
  }

  u64 failed = transfer(accounts, SOURCE, VAULT_IN, USER, amount_in, 0, 0);
  if (failed) return failed;
  u8 bump = pool->data[BUMP];
  Seed seeds[2] = { { (u8 *)pool->key, 32 }, { &bump, 1 } };
  SignerSeeds signer = { seeds, 2 };
  failed = transfer(accounts, VAULT_OUT, TARGET, AUTHORITY, amount_out, &signer, 1);
  if (failed) return failed;
  sol_set_return_data((u8 *)&amount_out, 8);
  return 0;
}

__attribute__((section(".text.entry"))) u64 entrypoint(u8 *input) {
  AccountInfo accounts[8];
  u8 *data;
  u64 data_len;
  Pubkey *program;
  u64 count = parse_input(input, accounts, 8, &data, &data_len, &program);
  if (data_len < 1) return INVALID_INSTRUCTION_DATA;
  if (data[0] == 0) return open_pool(accounts, count, data, data_len, program);
  if (data[0] == 1) return swap(accounts, count, data, data_len, program);
  return INVALID_INSTRUCTION_DATA;
}
