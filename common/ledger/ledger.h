/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: who converted what. The port whose every call is one atomic decision, durable before it returns.
 *
 * The ledger holds, per file, its identity (facts, the hash of a prefix, the closed ends) and per generation and stripe
 * a checkpoint: every line that ends at or before it belongs to an attempt that won. `advance` picks one winner for a
 * range, for ever; everything else in the protocol follows from that (ARCHITECTURE.md has the argument).
 *
 * All calls take arrays: one round trip, one transaction. The answers of one call are decided in order, as if each
 * element were a call of its own; a call that returns anything but RC_OK has done nothing for any of them. (Or it
 * happened and the answer was lost: every call may be made again, with the same result.) Every call carries the epoch
 * of the handle; a ledger at another epoch answers RC_STALE and has done nothing. A file that the ledger does not know
 * is RC_ABSENT (never a checkpoint of 0).
 *
 * Threads: a handle may be used by several. Memory: answers with strings or arrays are put in the caller's arena.
 * Limits: offsets, generations, epochs, indices and stripe sizes up to 2^63 - 1 (RC_BAD beyond); LEDGER_VOIDS_MAX.
 * Fails: RC_BUSY (not reachable now), RC_STALE (epoch), RC_ABSENT, RC_BAD (arguments that no correct caller gives),
 * RC_LIMIT (disk full), RC_BROKEN (damaged, or the world contradicts the ledger; nothing was overwritten), RC_DENIED
 * (another owner, a forgotten generation). The decisions are in ledger_rules.h, free of any database. */
#ifndef SLUICE_LEDGER_H
#define SLUICE_LEDGER_H

#include "arena.h"
#include "attempt.h"
#include "claim.h"
#include "counts.h"
#include "ledger_listing.h"
#include "rc.h"

enum {
    /* Attempts of one stripe that are void at once: each needs a worker to fail and void_after to pass, so thousands
     * mean that something loops. RC_LIMIT beyond. */
    LEDGER_VOIDS_MAX = 65536,
    LEDGER_REASON_MAX = 1024, /* bytes of a set-aside reason that are kept */
    LEDGER_TEXT_MAX = 65536   /* bytes of a source's name or a uri; RC_BAD beyond */
};

/* ---- identity ---- */

struct ledger_key {
    struct str source;
    uint64_t inode;
    int64_t birth_ns;
    uint64_t volume;
};

/* A file as the ledger knows it; the newest incarnation of its key. */
struct ledger_file {
    bool found;
    struct id id;
    uint64_t version; /* changes with every change of the identity; for compare-and-set */
    struct str uri;
    uint64_t stripe_bytes;
    uint32_t prefix_len;
    uint64_t prefix_hash;
    uint64_t reach;     /* the largest checkpoint of any stripe in the handle's generation, else of any; 0: none */
    uint64_t tail_hash; /* of the up to TAIL_MAX bytes before `reach` */
    bool closed;        /* closed_end is its newest closed end */
    uint64_t closed_end;
    bool gone;      /* closed with nothing more to come */
    bool receipted; /* the receipt for closed_end was noted in the handle's generation */
};

/* A new file, or a new incarnation under the key of an older one. */
struct ledger_enroll {
    struct id id; /* proposed by the caller */
    struct facts facts;
    uint64_t seen_version; /* ledger_file.version that the caller saw, 0 for not found: compare-and-set */
};

/* What else may change in an identity: the file got another name, or grew so that more of its prefix can be hashed. */
struct ledger_amend {
    struct id file;
    uint64_t seen_version;
    struct str uri;
    uint32_t prefix_len; /* >= what is stored */
    uint64_t prefix_hash;
};

struct ledger_close {
    struct id file;
    uint64_t end; /* N; kept as a line start for what may grow behind it */
    bool gone;    /* nothing will come any more: unlinked, replaced or truncated away */
};

/* ---- checkpoints and attempts ---- */

struct ledger_stripe {
    struct id file;
    uint64_t stripe;
};

struct ledger_checkpoint {
    bool found;       /* the file is known */
    uint64_t at;      /* c; the stripe's start while nothing was converted */
    struct id winner; /* the attempt that ends at c; none at the stripe's start */
    struct counts counts;
    uint64_t tail_hash; /* of the up to TAIL_MAX bytes before c, as its attempt saw them; 0 while there is no winner */
    uint32_t failures;  /* of jobs on this stripe since it last moved */
    bool set_aside;
    uint64_t *ends; /* the file's closed ends at or behind `at`, ascending: each is a line start */
    size_t ends_len;
    uint32_t ends_total; /* of all the file's closed ends, those before `at` too */
};

struct ledger_advance {
    struct attempt attempt;
    struct counts counts;
    uint64_t tail_hash;
    uint32_t messages;  /* blocks + the trailer, so at least 1: how many must become durable */
    uint32_t ends_seen; /* ledger_checkpoint.ends_total as the worker saw it: see advance */
    bool closed;        /* `to` is one of the closed ends */
    struct str claims;  /* claim.h: what the attempt keeps of records that are kept once */
};

/* Who keeps the record of a key. */
struct ledger_claim {
    bool found;
    struct claim_place place;
};

enum ledger_decision { LEDGER_UNDECIDED, LEDGER_WON, LEDGER_LOST };

struct ledger_verdict {
    enum ledger_decision decision;
    uint32_t voids; /* how many attempts at the same `from` were voided: each doubles the wait before the next void */
};

/* The end of what was acknowledged in a partition of the blocks topic, to notice a log that lost its tail. */
struct ledger_acknowledged {
    uint32_t partition;
    uint64_t end;
};

/* ---- durability ---- */

/* How many messages (blocks and trailer) of a won attempt batch `index` made durable. */
struct ledger_durable {
    struct id file;
    uint64_t stripe;
    struct id attempt;
    uint32_t messages;
};

struct ledger_batch {
    uint32_t partition;
    uint64_t index;
};

/* A file of which all lines up to its newest closed end are durable, and no receipt was noted for that end yet. */
struct ledger_due {
    struct id file;
    struct facts facts;
    uint64_t end;
    struct counts counts; /* over all stripes */
    uint64_t stripes;
    struct ledger_batch *batches; /* whose manifests list the file's objects, ascending */
    size_t batches_len;
};

/* ---- epoch and recovery ---- */

struct ledger_identity {
    struct id ledger, queue;
    uint64_t epoch;
    bool recovering; /* between recover_begin and recover_end: all other calls answer RC_STALE */
    uint64_t target; /* while recovering: the epoch that it will end with, else 0 */
};

/* A winner that a seal or an unsealed block proves. */
struct ledger_winner {
    struct attempt attempt;
    struct facts facts;
    bool has_counts; /* from its trailer */
    struct counts counts;
    uint64_t tail_hash;
    uint32_t messages;  /* blocks + trailer; 0 while unknown */
    bool closed;        /* its trailer says that `to` is a closed end */
    uint64_t first_end; /* its trailer says that its first line starts at this closed end; 0: at no closed end */
    struct str claims;  /* of its trailer */
};

/* What a recoverer saw before it begins. */
struct ledger_epochs {
    uint64_t ledger; /* ledger_identity.epoch */
    uint64_t chains; /* the highest epoch in any seal of any chain; 0: none */
    uint64_t sealed; /* the highest epoch in a seal that is no barrier; 0: none */
};

/* What goes with every call. */
struct ledger_at {
    uint64_t epoch;
    uint64_t generation;
};

struct ledger_ops {
    enum rc (*identity)(void *self, struct ledger_identity *out, struct why *why);

    enum rc (*lookup)(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n, struct arena *arena,
                      struct ledger_file *out, struct why *why);
    enum rc (*enroll)(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                      struct why *why);
    enum rc (*amend)(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                     struct why *why);
    enum rc (*close_files)(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n, enum rc *out,
                           struct why *why);

    enum rc (*checkpoints)(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                           struct arena *arena, struct ledger_checkpoint *out, struct why *why);
    enum rc (*advance)(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                       const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                       struct why *why);
    enum rc (*verdicts)(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                        struct ledger_verdict *out, struct why *why);
    enum rc (*voids)(void *self, struct ledger_at at, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                     struct why *why);
    enum rc (*claims)(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                      struct why *why);
    enum rc (*job_failed)(void *self, struct ledger_at at, struct ledger_stripe stripe, struct str reason,
                          uint32_t attempts_max, uint32_t *out_failures, struct why *why);

    enum rc (*durable)(void *self, struct ledger_at at, struct ledger_batch batch, const struct ledger_durable *adds,
                       size_t n, struct why *why);
    enum rc (*durable_next)(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index, struct why *why);
    enum rc (*acknowledged)(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end, struct why *why);
    enum rc (*due)(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                   size_t *out_n, struct why *why);
    enum rc (*receipted)(void *self, struct ledger_at at, const struct ledger_close *files, size_t n, struct why *why);

    enum rc (*list)(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                    struct ledger_listing **out, size_t *out_n, struct why *why);
    enum rc (*list_stripes)(void *self, struct ledger_at at, struct id file, struct arena *arena,
                            struct ledger_stripe_listing **out, size_t *out_n, struct why *why);
    enum rc (*generations)(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                           struct why *why);
    enum rc (*forget)(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done, struct why *why);
    enum rc (*list_wons)(void *self, struct ledger_at at, struct id file, struct arena *arena, struct ledger_wons *out,
                         struct why *why);

    enum rc (*recover_begin)(void *self, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                             struct why *why);
    enum rc (*recover_next)(void *self, struct id token, uint64_t generation, uint32_t partition, uint64_t *out_index,
                            struct why *why);
    enum rc (*recover_winners)(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                               struct why *why);
    enum rc (*recover_reset_durable)(void *self, struct id token, uint64_t generation, struct why *why);
    enum rc (*recover_end)(void *self, struct id token, uint64_t *out_epoch, struct why *why);
    const struct ledger_save_ops *save; /* ledger_save.h */
    void (*free)(void *self);
};

/* A handle, by value. Checkpoints, counters and receipts are of the handle's generation; identities are of all. */
struct ledger {
    const struct ledger_ops *ops;
    void *self;
    struct ledger_at at;
};

/* Who this ledger is; works at any epoch. Set ledger.at.epoch from it before any other call. Epochs begin at 1. */
RC ledger_identity(struct ledger ledger, struct ledger_identity *out, struct why *why);

/* The newest incarnation under each key. Only hashes of the caller's own view tell that it is the same file. */
RC ledger_lookup(struct ledger ledger, const struct ledger_key *keys, size_t n, struct arena *arena,
                 struct ledger_file *out, struct why *why);
/* out[i]: RC_OK, or RC_STALE when the key's version is not `seen_version`: look up again. Enrolling the same id again
 * under the same key is RC_OK, under another key RC_BAD.
 * The older incarnation under the key becomes gone, unless it was. Nobody saw where it ended, and a closed end is a
 * line start for ever; so it gets one only where its reach is one for sure: R, its largest checkpoint in the handle's
 * generation, becomes a closed end iff R > 0, R is behind its newest closed end or it has none, no generation has a
 * checkpoint behind R, and every stripe that begins before R has its checkpoint (in the handle's generation) at
 * min(R, the stripe's end) or behind. Else its closed ends stay as they are, and no receipt comes of what is behind
 * them (rules_gone_end() in ledger_rules.h has the argument).
 * A recovery may have restored several incarnations of one key, whose order nobody knows. Then an enroll, which says
 * that the caller refused the newest one, answers RC_STALE and makes the next one of these the newest, until the caller
 * recognised one or refused all. */
RC ledger_enroll(struct ledger ledger, const struct ledger_enroll *asks, size_t n, enum rc *out, struct why *why);
/* out[i]: RC_OK; RC_STALE when the file's version is not `seen_version` or the file is not the newest under its key;
 * RC_ABSENT; RC_BAD when prefix_len would shrink, or stays and the hash differs. What is stored already is RC_OK. */
RC ledger_amend(struct ledger ledger, const struct ledger_amend *asks, size_t n, enum rc *out, struct why *why);
/* Idempotent. out[i]: RC_OK; RC_ABSENT: no such file; RC_STALE when the end is below the newest closed end, or below a
 * checkpoint of any stripe and generation: somebody saw more of the file. So every closed end is a line start that no
 * attempt ever converted across. `gone` once said stays; a larger end may still follow. */
RC ledger_close_files(struct ledger ledger, const struct ledger_close *asks, size_t n, enum rc *out, struct why *why);

/* .found is false for a file that the ledger does not know. */
RC ledger_checkpoints(struct ledger ledger, const struct ledger_stripe *asks, size_t n, struct arena *arena,
                      struct ledger_checkpoint *out, struct why *why);
/* Won iff the checkpoint is at `from`, its winner is `predecessor`, the attempt is of the ledger's epoch and not void,
 * no closed end that the worker had not seen (ends are ascending; it saw the first `ends_seen`) lies below `to`, if
 * `closed`, `to` is a closed end, and each of its claims is free in the generation or of the same place already. With
 * the win its claims are stored, for as long as the generation is there.
 * Asking again answers the same; only after all of a stripe is durable are winners before its last forgotten, and then
 * answered as lost, which no longer matters: seals name them. A loser is remembered as void until the checkpoint moves
 * past its `from`. A stripe that was set aside and moves is no longer set aside. `acks` raise the acknowledged ends.
 * RC_ABSENT: a file that the ledger does not know; RC_BROKEN: an attempt of an epoch that the ledger has not reached
 * (the ledger was set back and has to be recovered). */
RC ledger_advance(struct ledger ledger, const struct ledger_advance *asks, size_t n,
                  const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out, struct why *why);
/* Lost at once when another won at `from`, the checkpoint is past it, the attempt is void, its epoch is older than the
 * ledger's and it is no winner, its predecessor is void, or the checkpoint is at `from` with another winner than its
 * predecessor. What is lost never wins, but a loser by its predecessor alone may read as undecided again once the void
 * is forgotten; then ledger_voids ends the waiting. Fails as advance does. */
RC ledger_verdicts(struct ledger ledger, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                   struct why *why);
/* Makes undecided attempts lost, atomic with advance; answers as verdicts does afterwards (a winner stays one). The
 * void is forgotten when the checkpoint moves past `from`: then the attempt is lost without it. */
RC ledger_voids(struct ledger ledger, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                struct why *why);
/* Who keeps the records of these keys, in the handle's generation. What is found stays so for ever; what is not may be
 * taken at any time, which `advance` finds. As list: at any epoch, for repair asks while somebody recovers; what an
 * attempt makes of an answer of another epoch than its own never wins. */
RC ledger_claims(struct ledger ledger, const struct id *keys, size_t n, struct ledger_claim *out, struct why *why);
/* Counts a failed job; at `attempts_max` failures the stripe is set aside with the reason (cut at LEDGER_REASON_MAX).
 * The count starts again when the stripe moves. */
RC ledger_job_failed(struct ledger ledger, struct ledger_stripe stripe, struct str reason, uint32_t attempts_max,
                     uint32_t *out_failures, struct why *why);

/* Applies iff batch.index is the partition's counter (0 at first), which then goes up by one; an older index is RC_OK
 * and does nothing, a later one RC_STALE. RC_BROKEN: the batch holds an attempt that never won, or more messages than
 * the attempt has. RC_ABSENT: a file that the ledger does not know. */
RC ledger_durable(struct ledger ledger, struct ledger_batch batch, const struct ledger_durable *adds, size_t n,
                  struct why *why);
/* The index of the first batch that was not told durable. */
RC ledger_durable_next(struct ledger ledger, uint32_t partition, uint64_t *out_index, struct why *why);
RC ledger_acknowledged(struct ledger ledger, uint32_t partition, uint64_t *out_end, struct why *why);
/* Up to `max` files whose receipt can be written: closed at N, every stripe that begins before N has its checkpoint at
 * min(N, the stripe's end) or behind, none is set aside or has messages that are not durable, nothing behind N was
 * converted yet (then its counts are in, and the next close has the receipt), and no receipt of this generation was
 * noted for N or more. A file answered here is answered again until ledger_receipted. Cost: the files
 * that closes and durable batches touched since the last call, not all files. */
RC ledger_due(struct ledger ledger, size_t max, struct arena *arena, struct ledger_due **out, size_t *out_n,
              struct why *why);
/* The receipts of these files at these ends are in the store (.gone is not looked at). */
RC ledger_receipted(struct ledger ledger, const struct ledger_close *files, size_t n, struct why *why);

/* Files in order of id, those behind `after` (none for the first page). For people: any epoch, also while recovering;
 * figures are of the handle's generation. LEDGER_SET_ASIDE comes before the other states; a file that moved behind its
 * closed end is LEDGER_OPEN again. */
RC ledger_list(struct ledger ledger, struct id after, size_t max, struct arena *arena, struct ledger_listing **out,
               size_t *out_n, struct why *why);
RC ledger_list_stripes(struct ledger ledger, struct id file, struct arena *arena, struct ledger_stripe_listing **out,
                       size_t *out_n, struct why *why);
/* The winners of a file that are not forgotten: all of a stripe that has messages which are not durable, else its last
 * one. As the two above: at any epoch. */
RC ledger_list_wons(struct ledger ledger, struct id file, struct arena *arena, struct ledger_wons *out,
                    struct why *why);

/* The generations of which anything was acknowledged, made durable or forgotten, ascending. As list: any epoch. */
RC ledger_generations(struct ledger ledger, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                      struct why *why);
/* Forgets the handle's generation. From the first call on every other call of it but list, list_stripes and recovery is
 * RC_DENIED, for ever: a process of it that wakes up late has no say. Takes away at least one and up to about `max`
 * stripes and files behind the file `*after` (none at first), which is moved on; *out_done: nothing is left behind it.
 * May begin again from none at any time. Identities and closed ends are of all generations and stay. Winners of a
 * forgotten generation that a recoverer gives bring back their files, and nothing else. */
RC ledger_forget(struct ledger ledger, size_t max, struct id *after, bool *out_done, struct why *why);

/* Recovery: one recoverer at a time owns the token; each of its writes is RC_STALE once another began. `begin` refuses
 * (RC_STALE) another ledger epoch than the one seen; while somebody recovers it is allowed, takes over and forgets what
 * the one before had staged. The target epoch, for the barriers, is one more than the ledger's, the chains' and the
 * target of any recoverer before: an epoch that no attempt can carry yet. From begin to end all calls but identity and
 * list answer RC_STALE.
 * `winners` may come in any order and again: facts of a file that the ledger does not know are enrolled, the closed
 * ends that it tells (`to` if `closed`, `first_end` if not 0) are added to the file's, the rest is staged. All winners
 * of all seals of a generation have to be given, and their predecessors, transitively. Their claims are stored at once
 * and over what the ledger has: they are true whoever ends the recovery. `reset_durable` (of the handle's
 * generation, at any time before end) makes `end` set the partition counters to 0 and nothing durable, so that batches
 * can be told again from manifests, once the epoch is open. `end` unites, in one step: winners that were given stand;
 * winners of the ledger stand unless they overlap one that was given or come behind one that fell (a seal is trusted
 * over an acknowledged advance); each stripe's checkpoint becomes the largest end. Voids are forgotten, the epoch
 * becomes the target, everybody is let in. RC_BROKEN from end: two given winners overlap, a range before a winner has
 * none (its blocks are lost), or a winner's trailer was not given. `why` names the first. Nothing is changed, the token
 * stays: give what is missing (a repair gives the attempt that it made in the place of the lost one, under the lost
 * one's id) and end again.
 * A ledger whose epoch is below `sealed` was set back to before another recovery, one that it does not know of:
 * attempts that it holds for winners were lost by that one, and batches were sealed without them. Then a winner of the
 * ledger stands only if something proves it: it was given, some of it is durable, or one behind it stands. What falls
 * is converted again. Claims of places that no winner covers any more are free again. */
RC ledger_recover_begin(struct ledger ledger, struct ledger_epochs seen, struct id token, uint64_t *out_target,
                        struct why *why);
/* For the recoverer, of the handle's generation: the first batch that the ledger was not told durable. Every attempt of
 * the batches before it was a winner when it was told, and is one still, if the ledger is a prefix of its own history:
 * then only the seals from there on have to be given. 0 for an empty ledger. */
RC ledger_recover_next(struct ledger ledger, struct id token, uint32_t partition, uint64_t *out_index, struct why *why);
RC ledger_recover_winners(struct ledger ledger, struct id token, const struct ledger_winner *winners, size_t n,
                          struct why *why);
RC ledger_recover_reset_durable(struct ledger ledger, struct id token, struct why *why);
RC ledger_recover_end(struct ledger ledger, struct id token, uint64_t *out_epoch, struct why *why);

void ledger_free(struct ledger ledger);

#endif
