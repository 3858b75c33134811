/*
 * Stands in for an AMM program: carries out a script that was planted for one instruction.
 *
 * The chain knows what the real program would do with an instruction (the quotes are in Python),
 * writes that down as a script into one of the instruction's accounts, and runs the original
 * signed transaction. So the transfers are real calls of the token programs, the pools are real
 * accounts of this program, and a refusal is a real custom error; only the deciding is outside.
 *
 * Script account (integers little-endian):
 *   magic u64, entries u16, then per entry:
 *     length u32 of what follows, program[32], key_index u8, key[32], amount_index u8, amount u64,
 *     operations.
 * An entry is for this instruction if the program is called, account `key_index` is `key` and the
 * token account `amount_index` holds `amount`: a pool's balance differs before each of several
 * swaps in it. An `amount_index` of 255 asks for no balance. An aggregator's instruction has the
 * script accounts of the AMMs beside its own.
 *
 * Operations, one byte and its arguments (index = position among the instruction's accounts):
 *   0 end
 *   1 log        length u16, text
 *   2 event      length u16, bytes                     "Program data: <base64>"
 *   3 signers    sets u8, per set: seeds u8, per seed: length u8, bytes
 *   4 invoke     program index u8, metas u8, per meta: index u8, flags u8 (1 writable, 2 signer),
 *                length u16, data
 *   5 patch      index u8, offset u32, length u16, bytes
 *   6 require    index u8, least u64, error u64        a token account holds at least that
 *   7 burn       rounds u32                            spends compute units: a system call each
 *   8 fail       error u64
 *
 * No function call, no constant in memory and no loop unknown to the verifier: the object file
 * then needs no other relocation than the names of system calls.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

typedef struct {
  u8 *key;
  u64 *lamports;
  u64 data_length;
  u8 *data;
  u8 *owner;
  u64 rent_epoch;
  u8 is_signer, is_writable, executable;
} Info;
typedef struct { u8 *key; u8 is_writable, is_signer; } Meta;
typedef struct { u8 *program; Meta *metas; u64 metas_length; u8 *data; u64 data_length; } Instruction;
typedef struct { const u8 *bytes; u64 length; } Slice;
typedef struct { Slice *seeds; u64 length; } SignerSeeds;

extern u64 sol_log_(const u8 *text, u64 length);
extern u64 sol_log_data(const Slice *fields, u64 length);
extern u64 sol_get_clock_sysvar(u64 *clock);
extern u64 sol_invoke_signed_c(const Instruction *, const Info *, u64, const SignerSeeds *, u64);

#define ACCOUNTS_MAX 64
#define SETS_MAX 2
#define SEEDS_MAX 8
#define SCRIPTS_MAX 8
#define ENTRY_HEADER 74
#define GROWTH_BYTES 10240 /* room the runtime leaves behind each account's data */
#define DUPLICATE_NONE 0xff
#define TOKEN_AMOUNT_AT 64
#define ANY_AMOUNT 255
#define MAGIC 0x5450495243534255UL     /* "UBSCRIPT" */
#define EVENT_CALL 0x1d9acb512ea545e4UL /* first eight bytes of an Anchor event's self-call */

/* Errors of the runtime's own, as a program returns them. */
#define INVALID_ACCOUNT_DATA (4UL << 32)
#define NOT_ENOUGH_ACCOUNTS (11UL << 32)
#define INVALID_SEEDS (14UL << 32)

enum { END, LOG, EVENT, SIGNERS, INVOKE, PATCH, REQUIRE, BURN, FAIL };
enum { WRITABLE = 1, SIGNER = 2 };

typedef struct {
  Info accounts[ACCOUNTS_MAX];
  Meta metas[ACCOUNTS_MAX];
  Slice seeds[SETS_MAX][SEEDS_MAX];
  SignerSeeds signers[SETS_MAX];
  Instruction instruction;
  Slice field;
  const u8 *scripts[SCRIPTS_MAX];
  u64 clock[5];
} Memory;

/* Too large for a stack frame, and there is no allocator: the heap's beginning. */
#define MEMORY ((Memory *)0x300000000UL)

#define INLINE static inline __attribute__((always_inline))

INLINE u64 load(const u8 *at, u64 bytes) {
  u64 value = 0;
  while (bytes--) value = (value << 8) | at[bytes];
  return value;
}

INLINE int same_key(const u8 *a, const u8 *b) {
  for (u64 i = 0; i < 32; i++)
    if (a[i] != b[i]) return 0;
  return 1;
}

u64 entrypoint(u8 *input) {
  Memory *memory = MEMORY;
  Info *accounts = memory->accounts;
  u64 count = load(input, 8);
  u8 *at = input + 8;
  u64 scripts = 0;
  if (count > ACCOUNTS_MAX) return NOT_ENOUGH_ACCOUNTS;

  for (u64 i = 0; i < count; i++) {
    Info *one = &accounts[i];
    if (*at != DUPLICATE_NONE) {
      *one = accounts[*at];
      at += 8;
      continue;
    }
    one->is_signer = at[1];
    one->is_writable = at[2];
    one->executable = at[3];
    one->key = at + 8;
    one->owner = at + 40;
    one->lamports = (u64 *)(at + 72);
    one->data_length = load(at + 80, 8);
    one->data = at + 88;
    if (one->data_length >= 10 && load(one->data, 8) == MAGIC && scripts < SCRIPTS_MAX)
      memory->scripts[scripts++] = one->data;
    at += 88 + one->data_length + GROWTH_BYTES;
    at = (u8 *)(((u64)at + 7) & ~7UL);
    one->rent_epoch = load(at, 8);
    at += 8;
  }
  u64 data_length = load(at, 8);
  if (data_length >= 8 && load(at + 8, 8) == EVENT_CALL) return 0;
  if (!scripts) return INVALID_SEEDS;

  /* Find the entry that was written for this instruction. */
  const u8 *program = at + 8 + data_length;
  const u8 *op = 0;
  for (u64 s = 0; s < scripts && !op; s++) {
    const u8 *entry = memory->scripts[s] + 10;
    for (u64 left = load(memory->scripts[s] + 8, 2); left; left--) {
      const u8 *header = entry + 4;
      entry = header + load(entry, 4);
      u8 key_index = header[32], amount_index = header[65];
      if (key_index >= count || !same_key(header, program) ||
          !same_key(header + 33, accounts[key_index].key))
        continue;
      if (amount_index != ANY_AMOUNT) {
        const Info *held = &accounts[amount_index];
        if (amount_index >= count || held->data_length < TOKEN_AMOUNT_AT + 8 ||
            load(held->data + TOKEN_AMOUNT_AT, 8) != load(header + 66, 8))
          continue;
      }
      op = header + ENTRY_HEADER;
      break;
    }
  }
  if (!op) return INVALID_ACCOUNT_DATA;

  u64 sets = 0;
  for (;;) {
    u8 kind = *op++;
    if (kind == END) return 0;
    if (kind == FAIL) return load(op, 8);
    if (kind == LOG) {
      u64 length = load(op, 2);
      sol_log_(op + 2, length);
      op += 2 + length;
    } else if (kind == EVENT) {
      memory->field.length = load(op, 2);
      memory->field.bytes = op + 2;
      sol_log_data(&memory->field, 1);
      op += 2 + memory->field.length;
    } else if (kind == SIGNERS) {
      sets = *op++;
      for (u64 s = 0; s < sets; s++) {
        u64 seeds = *op++;
        for (u64 i = 0; i < seeds; i++) {
          memory->seeds[s][i].length = *op++;
          memory->seeds[s][i].bytes = op;
          op += memory->seeds[s][i].length;
        }
        memory->signers[s].seeds = memory->seeds[s];
        memory->signers[s].length = seeds;
      }
    } else if (kind == INVOKE) {
      Instruction *call = &memory->instruction;
      call->program = accounts[*op++].key;
      call->metas = memory->metas;
      call->metas_length = *op++;
      for (u64 i = 0; i < call->metas_length; i++, op += 2) {
        memory->metas[i].key = accounts[op[0]].key;
        memory->metas[i].is_writable = op[1] & WRITABLE;
        memory->metas[i].is_signer = (op[1] & SIGNER) >> 1;
      }
      call->data_length = load(op, 2);
      call->data = (u8 *)op + 2;
      op += 2 + call->data_length;
      u64 error = sol_invoke_signed_c(call, accounts, count, memory->signers, sets);
      if (error) return error;
    } else if (kind == PATCH) {
      u8 *to = accounts[op[0]].data + load(op + 1, 4);
      u64 length = load(op + 5, 2);
      op += 7;
      for (u64 i = 0; i < length; i++) to[i] = op[i];
      op += length;
    } else if (kind == REQUIRE) {
      const Info *held = &accounts[op[0]];
      if (held->data_length < TOKEN_AMOUNT_AT + 8 ||
          load(held->data + TOKEN_AMOUNT_AT, 8) < load(op + 1, 8))
        return load(op + 9, 8);
      op += 17;
    } else if (kind == BURN) {
      for (u64 rounds = load(op, 4); rounds; rounds--) sol_get_clock_sysvar(memory->clock);
      op += 4;
    } else {
      return INVALID_ACCOUNT_DATA;
    }
  }
}
