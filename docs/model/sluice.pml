/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of sluice: Kafka carries, the ledger decides who converted, the store decides what is in a batch.
 *
 * README.md beside this file says what is modelled, what each process stands for in services/, and what was found;
 * `check` runs it. One step of a process is one effect on a port, as in the code; between any two of them anything else
 * may happen. -D flags choose the bounds; M_… flags are mutations, each of which must lead to a violation. */

/* ---- bounds ---- */
#ifndef STRIPES
#define STRIPES 1 /* of the one file */
#endif
#ifndef LINES
#define LINES 2 /* of a stripe */
#endif
#ifndef PARTITIONS
#define PARTITIONS 1
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 3 /* in all, at most 7 */
#endif
#ifndef LANES
#define LANES 2
#endif
#ifndef PIPELINE
#define PIPELINE 1 /* 1: a lane may publish an attempt behind one that is not decided yet */
#endif
#ifndef BACKLOG
#define BACKLOG 100 /* messages in the log at which no lane begins an attempt */
#endif
#ifndef UPLOADERS
#define UPLOADERS 2 /* of each partition */
#endif
#ifndef CRASHES
#define CRASHES 1 /* of uploaders */
#endif
#ifndef DEATHS
#define DEATHS 1 /* of lanes */
#endif
#ifndef LOST_ANSWERS
#define LOST_ANSWERS 1 /* of advance, of a seal's put: it happened, and nobody was told */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0 /* of the ledger, each to any earlier state of it: several writes, or all, are gone */
#endif
#ifndef RECOVERERS
#define RECOVERERS 1
#endif
#ifndef BEGINS
#define BEGINS (ROLLBACKS + RECOVERERS - 1) /* how often a recovery is begun, in all */
#endif
#ifndef SEALS
#define SEALS (ATTEMPTS + BEGINS) /* of a chain: each seal that is no barrier holds a message */
#endif

/* Which partition a line's block goes to. With TRAILERS an attempt also has a message without lines in the partition
 * behind that of its last line (where that one has a block of it already, the block stands for both). */
#define PART(s, line) (((s) + (line)) % PARTITIONS)
#ifdef TRAILERS
#define TRAILER_IN(s, to, p) (PART(s, (to)-1) == ((p) + 1) % PARTITIONS)
#else
#define TRAILER_IN(s, to, p) 0
#endif
#if LINES == 1
#define BLOCK_IN(s, from, to, p) (PART(s, from) == (p))
#else
#define BLOCK_IN(s, from, to, p) (PART(s, from) == (p) || (to) - (from) > 1 && PART(s, (from) + 1) == (p))
#endif
#define MESSAGE_IN(s, from, to, p) (BLOCK_IN(s, from, to, p) || TRAILER_IN(s, to, p))
#if PARTITIONS == 1
#define MESSAGES(s, from, to) 1
#else
#define MESSAGES(s, from, to) (MESSAGE_IN(s, from, to, 0) + MESSAGE_IN(s, from, to, 1))
#endif
#define ALL_LINES ((1 << (STRIPES * LINES)) - 1)
#define LINE_BIT(s, line) (1 << ((s)*LINES + (line)))

/* ---- the log, the store, the ledger ---- */

/* An attempt as its messages tell it; its number is its id. The log holds these numbers. */
typedef Attempt {
    byte stripe, from, to, pred, epoch
};
Attempt att[ATTEMPTS + 1];
byte attempts; /* begun so far */
#ifdef M_ID_REUSE
#define ID(a) (1 + att[a].stripe * LINES + att[a].from) /* an id made of the range's start, not of 128 random bits */
#else
#define ID(a) (a)
#endif

typedef Log {
    byte at[ATTEMPTS]; /* at[offset]: the attempt whose message it is; one message an attempt */
    byte length, trimmed
};
Log log[PARTITIONS];

/* Seal i of a partition: [end of seal i-1, end), the offsets that are in it (a bit each), its epoch. */
typedef Seal {
    byte end, kept, epoch
};
typedef Chain {
    Seal seal[SEALS];
    byte length;
    byte manifests; /* a bit a seal */
#ifdef OBJECTS
    byte object[SEALS]; /* 0: not there, else what is in it, with bit 7 */
#endif
};
Chain chain[PARTITIONS];
#define START(p, i) ((i) == 0 -> 0 : chain[p].seal[(i) - ((i) > 0)].end)
#define MANIFESTED(p, i) ((chain[p].manifests >> (i)) & 1)

byte listed;  /* lines that manifests list */
bit receipt;  /* the file's receipt is in the store */

typedef Stripe {
    byte at, last; /* the checkpoint, and the id of the winner that ends there */
    byte base;     /* winners that begin before it were forgotten: all of them were durable */
    byte win[LINES], to[LINES] /* the winner whose range begins there: its id and its end; 0: none */
};
typedef Ledger {
    Stripe stripe[STRIPES];
    byte voids;                 /* a bit an id */
    byte durable[ATTEMPTS + 1]; /* messages of an attempt that are durable */
    byte next[PARTITIONS];      /* the first batch that was not told durable */
    byte epoch, target, token;  /* token: the recoverer that owns the ledger, 0: none */
    bit receipted
};
Ledger led, saved, nothing;
bit has_saved;
bit suspect; /* the ledger was set back (in Redis: its run id is not the epoch record's): all calls are refused */
#define OPEN (!suspect && led.token == 0)

byte crashes = CRASHES, deaths = DEATHS, lost_answers = LOST_ANSWERS, rollbacks = ROLLBACKS, begins = BEGINS;

/* Scratch for d_steps; zeroed nowhere, so no part of the state. */
hidden byte i, j, k, v, x, y;
hidden byte good;
bit broken; /* never set */

#define UNDECIDED 0
#define WON 1
#define LOST 2

/* The world contradicts the ledger or the seals: the code stops with RC_BROKEN. It never happens. */
#define BROKEN assert(broken)

/* ---- common/ledger/ledger_rules.c ---- */

#define IS_VOID(id) ((led.voids >> (id)) & 1)
#define ST(a) led.stripe[att[a].stripe]

/* rules_verdict(): the winner that begins at `from` is it, or not; else lost for one of five reasons, or undecided. */
#define HAS_WINNER(a) (att[a].from >= ST(a).base && ST(a).win[att[a].from] != 0)
#ifdef M_NO_PREDECESSOR_CHECK
#define OTHER_WINNER(a) 0
#else
#define OTHER_WINNER(a) (ST(a).at == att[a].from && ST(a).last != att[a].pred)
#endif
#ifdef M_OLD_EPOCH_WINS
#define OLD_EPOCH(a) 0
#else
#define OLD_EPOCH(a) (att[a].epoch < led.epoch)
#endif
#define VERDICT(a) (HAS_WINNER(a) -> (ST(a).win[att[a].from] == ID(a) -> WON : LOST) : \
    (ST(a).at > att[a].from || OLD_EPOCH(a) || IS_VOID(ID(a)) || OTHER_WINNER(a) || \
     (att[a].pred != 0 && IS_VOID(att[a].pred)) -> LOST : UNDECIDED))

inline remember_void(a) {
    if
    :: att[a].from >= ST(a).at -> led.voids = led.voids | (1 << ID(a))
    :: else -> skip
    fi
}

inline rules_void(a) { /* -> v */
    v = VERDICT(a);
    if
    :: v != WON -> remember_void(a); v = LOST
    :: else -> skip
    fi
}

inline rules_advance(a) { /* -> v */
    v = VERDICT(a);
    if
    :: v == WON -> skip
    :: v == UNDECIDED && att[a].from == ST(a).at ->
        ST(a).win[att[a].from] = ID(a);
        ST(a).to[att[a].from] = att[a].to;
        ST(a).at = att[a].to;
        ST(a).last = ID(a);
        for (k : 1 .. attempts) { /* voids that the checkpoint has passed fade */
            if
            :: att[k].stripe == att[a].stripe && att[k].from < ST(a).at -> led.voids = led.voids & (255 - (1 << ID(k)))
            :: else -> skip
            fi
        }
        v = WON
    :: else -> remember_void(a); v = LOST
    fi
}

/* Messages of remembered winners that are not durable (rules_outstanding). */
#define OUTSTANDING_AT(s, i) (led.stripe[s].win[i] != 0 && (i) >= led.stripe[s].base -> \
    MESSAGES(s, i, led.stripe[s].to[i]) - led.durable[led.stripe[s].win[i]] : 0)
#if LINES == 1
#define OUTSTANDING(s) OUTSTANDING_AT(s, 0)
#else
#define OUTSTANDING(s) (OUTSTANDING_AT(s, 0) + OUTSTANDING_AT(s, 1))
#endif

/* All but the last winner of a stripe go when nothing is outstanding (rules_prunable). */
inline prune(s) {
    if
    :: OUTSTANDING(s) == 0 ->
        for (k : 0 .. LINES - 1) {
            if
            :: led.stripe[s].win[k] != 0 && led.stripe[s].to[k] == led.stripe[s].at -> led.stripe[s].base = k
            :: else -> skip
            fi
        }
    :: else -> skip
    fi
}

/* ledger_durable of batch b: applies iff b is the partition's counter -> v: 0 told, 1 stale */
inline ledger_durable(p, b) {
    printf("durable: batch %d of partition %d\n", b, p);
    x = 0;
    if
#ifdef M_DURABLE_ANY_ORDER
    :: true ->
#else
    :: b < led.next[p] -> skip
    :: b > led.next[p] -> x = 1
    :: b == led.next[p] ->
#endif
        for (i : 0 .. ATTEMPTS - 1) {
            if
            :: (chain[p].seal[b].kept >> i) & 1 ->
                j = log[p].at[i];
                good = (att[j].from < ST(j).base);
                if
                :: ST(j).win[att[j].from] != ID(j) -> BROKEN /* "is said to be durable but never won" */
                :: good -> skip /* forgotten, hence durable before */
                :: else ->
#ifndef M_DURABLE_ANY_ORDER
                    if
                    :: led.durable[ID(j)] >= MESSAGES(att[j].stripe, att[j].from, att[j].to) -> BROKEN
                    :: else -> skip
                    fi;
#endif
                    if
                    :: led.durable[ID(j)] < MESSAGES(att[j].stripe, att[j].from, att[j].to) ->
                        led.durable[ID(j)]++;
                        y = att[j].stripe;
                        prune(y)
                    :: else -> skip
                    fi
                fi
            :: else -> skip
            fi
        }
        led.next[p] = b + 1
    fi;
    v = x
}

/* ---- services/worker: lane.c, lane_flights.c, committer.c ---- */

typedef Lane {
    byte first, second;           /* attempts under way; second is pipelined behind first */
    byte published, published2    /* partitions that have its message, acknowledged */
};
Lane lane[LANES];

inline begin_attempt(cell, since, until, before) {
    attempts++;
    att[attempts].stripe = cell;
    att[attempts].from = since;
    att[attempts].to = until;
    att[attempts].pred = before;
    att[attempts].epoch = led.epoch
}

#define APPENDS(a, mask, p) (MESSAGE_IN(att[a].stripe, att[a].from, att[a].to, p) && ((mask >> (p)) & 1) == 0)
#if PARTITIONS == 1
#define PUBLISHED(a, mask) (mask == 1)
#else
#define PUBLISHED(a, mask) (!APPENDS(a, mask, 0) && !APPENDS(a, mask, 1))
#endif

inline append(a, mask, p) {
    printf("log %d: offset %d is of attempt %d\n", p, log[p].length, a);
    log[p].at[log[p].length] = a;
    log[p].length++;
    mask = mask | (1 << (p))
}

inline retire(w) { /* the first attempt is decided, or given up */
    lane[w].first = lane[w].second;
    lane[w].published = lane[w].published2;
    lane[w].second = 0;
    lane[w].published2 = 0
}

#if PARTITIONS == 1
#define BACKLOG_OF (log[0].length - log[0].trimmed)
#else
#define BACKLOG_OF (log[0].length - log[0].trimmed + log[1].length - log[1].trimmed)
#endif
#define MAY_BEGIN (attempts < ATTEMPTS && BACKLOG_OF < BACKLOG) /* lane.c: backlog_is_full */
#define TELL_BEGIN                                                                                             \
    printf("lane %d: attempt %d of stripe %d [%d, %d) behind %d\n", w, attempts, att[attempts].stripe,            \
           att[attempts].from, att[attempts].to, att[attempts].pred)
#define F lane[w].first
#define G lane[w].second

proctype worker(byte w) {
end:
    do
    /* a job: any stripe whose checkpoint is not at the end; the emitter says it again and again */
    :: d_step { F == 0 && OPEN && MAY_BEGIN && led.stripe[0].at < LINES ->
        begin_attempt(0, led.stripe[0].at, led.stripe[0].at + 1, led.stripe[0].last);
        F = attempts;
        TELL_BEGIN }
#if LINES > 1
    :: d_step { F == 0 && OPEN && MAY_BEGIN && led.stripe[0].at + 1 < LINES ->
        begin_attempt(0, led.stripe[0].at, LINES, led.stripe[0].last);
        F = attempts;
        TELL_BEGIN }
#endif
#if STRIPES > 1
    :: d_step { F == 0 && OPEN && MAY_BEGIN && led.stripe[1].at < LINES ->
        begin_attempt(1, led.stripe[1].at, led.stripe[1].at + 1, led.stripe[1].last);
        F = attempts;
        TELL_BEGIN }
#endif
#if PIPELINE && LINES > 1
    /* lane_slice.c: the next slice of the task, its predecessor being the attempt before it */
    :: d_step { F != 0 && G == 0 && PUBLISHED(F, lane[w].published) && att[F].to < LINES && MAY_BEGIN ->
        begin_attempt(att[F].stripe, att[F].to, LINES, ID(F));
        att[attempts].epoch = att[F].epoch;
        G = attempts;
        TELL_BEGIN }
#endif
    :: d_step { F != 0 && APPENDS(F, lane[w].published, 0) -> append(F, lane[w].published, 0) }
    :: d_step { G != 0 && APPENDS(G, lane[w].published2, 0) -> append(G, lane[w].published2, 0) }
#if PARTITIONS > 1
    :: d_step { F != 0 && APPENDS(F, lane[w].published, 1) -> append(F, lane[w].published, 1) }
    :: d_step { G != 0 && APPENDS(G, lane[w].published2, 1) -> append(G, lane[w].published2, 1) }
#endif
    /* committer.c: only what is acknowledged, in the order of the ranges. One of an older epoch is lost. */
    :: d_step { F != 0 && PUBLISHED(F, lane[w].published) && OPEN ->
        x = F;
        rules_advance(x);
        printf("lane %d: advance of attempt %d: %d (1 won, 2 lost)\n", w, x, v);
        retire(w) }
    :: d_step { F != 0 && PUBLISHED(F, lane[w].published) && OPEN && lost_answers > 0 ->
        lost_answers--;
        x = F;
        rules_advance(x);
        printf("lane %d: advance of attempt %d: %d, but the answer is lost\n", w, x, v) } /* and asks again */
    /* dies with something in the log; without, it is as if it never began */
    :: d_step { F != 0 && lane[w].published != 0 && deaths > 0 ->
        printf("lane %d: dies\n", w);
        deaths--;
        retire(w);
        retire(w) }
    od
}

/* ---- services/uploader: uploader.c, chain.c ---- */

#define FIND 0
#define REPLAY 1 /* the second half of find(): from batch `index` on */
#define READ 2   /* and JUDGE: a message and its verdict */
#define BUILD 3
#define MANIFEST 4
#define DURABLE 5
#define TRIM 6

typedef Uploader {
    byte phase, index, start, position, kept, epoch
};
Uploader up[PARTITIONS * UPLOADERS];
#define U up[u]
#define IN_EPOCH (OPEN && U.epoch == led.epoch)

inline start_again(u) {
    printf("uploader %d: starts again\n", u);
    U.phase = FIND;
    U.index = 0;
    U.start = 0;
    U.position = 0;
    U.kept = 0;
    U.epoch = 0
}

/* unless_done(): what looks like lost blocks is harmless when another has manifested this batch and trimmed */
inline broken_unless_done(u, p) {
    if
    :: MANIFESTED(p, U.index) -> start_again(u)
    :: else -> BROKEN
    fi
}

inline find(u, p) { /* the first batch without a manifest, or the end of the chain */
    U.start = START(p, U.index);
#ifndef M_FORWARD_CLAMP
    if
    :: log[p].trimmed < U.start -> log[p].trimmed = U.start
    :: else -> skip
    fi;
#endif
    if
    :: U.index < chain[p].length ->
        U.position = chain[p].seal[U.index].end;
        U.kept = chain[p].seal[U.index].kept;
        U.phase = BUILD
    :: else ->
        U.position = U.start;
        U.phase = READ
    fi
}

inline judged(u, decision) {
    printf("uploader %d: the message at %d is %d (1 won, 2 lost)\n", u, U.position, decision);
    if
    :: decision == WON -> U.kept = U.kept | (1 << U.position)
    :: else -> skip
    fi;
    U.position++
}

inline put_seal(u, p, answered) { /* put if absent */
    printf("uploader %d: seal %d of partition %d [%d, %d), kept %d\n", u, U.index, p, U.start, U.position, U.kept);
    if
#ifdef M_NO_SEAL
    :: true -> U.phase = BUILD /* only the manifest will say what is in the batch */
#else
    :: U.index == chain[p].length ->
        x = START(p, U.index);
        assert(U.start == x);
        chain[p].seal[U.index].end = U.position;
        chain[p].seal[U.index].kept = U.kept;
        chain[p].seal[U.index].epoch = U.epoch;
        chain[p].length++;
#ifdef M_TRIM_BEFORE_MANIFEST
        log[p].trimmed = U.position;
#endif
        if
        :: answered -> U.phase = BUILD
        :: else -> start_again(u)
        fi
#ifdef M_LOSER_KEEPS
    :: else -> U.phase = BUILD /* goes on with its own list, which may reach past the seal's end */
#else
    :: else -> start_again(u)
#endif
#endif
    fi
}

/* The batch's objects, each put if absent: a name that is there already keeps what is in it. */
inline build(u, p) {
    if
    :: log[p].trimmed > U.start && U.kept != 0 -> broken_unless_done(u, p)
    :: else ->
#ifdef OBJECTS
        if
        :: chain[p].object[U.index] == 0 -> chain[p].object[U.index] = 128 | U.kept
        :: else -> skip
        fi;
#endif
        U.phase = MANIFEST
    fi
}

inline put_manifest(u, p) {
    printf("uploader %d: manifest %d of partition %d, kept %d\n", u, U.index, p, U.kept);
    if
    :: MANIFESTED(p, U.index) -> start_again(u)
    :: else ->
        chain[p].manifests = chain[p].manifests | (1 << U.index);
#ifdef OBJECTS
        U.kept = chain[p].object[U.index] & 127;
#endif
#ifdef M_NO_SEAL
        chain[p].seal[U.index].end = U.position;
        chain[p].seal[U.index].kept = U.kept;
        chain[p].length = U.index + 1;
#endif
        for (i : 0 .. ATTEMPTS - 1) {
            if
            :: (U.kept >> i) & 1 ->
                j = log[p].at[i];
                for (k : att[j].from .. att[j].to - 1) {
                    if
                    :: PART(att[j].stripe, k) == p ->
                        assert((listed & LINE_BIT(att[j].stripe, k)) == 0); /* NO DOUBLE */
                        listed = listed | LINE_BIT(att[j].stripe, k)
                    :: else -> skip
                    fi
                }
            :: else -> skip
            fi
        }
        U.phase = DURABLE
    fi
}

proctype uploader(byte u; byte p) {
end:
    do
    :: d_step { U.phase == FIND && OPEN ->
        printf("uploader %d: looks for its place at epoch %d\n", u, led.epoch);
        U.epoch = led.epoch;
#ifdef M_FORWARD_CLAMP
        U.index = chain[p].length; /* where the committed offset points that somebody moved forward */
#else
        U.index = led.next[p];
#endif
        U.phase = REPLAY }
    :: d_step { U.phase == REPLAY && !MANIFESTED(p, U.index) -> find(u, p) }
    :: d_step { U.phase == REPLAY && MANIFESTED(p, U.index) ->
        if
        :: IN_EPOCH ->
            ledger_durable(p, U.index);
            if
            :: v == 0 -> U.index++
            :: else -> start_again(u)
            fi
        :: else -> start_again(u)
        fi }

    /* a message that another uploader has trimmed: seen by the log's bounds, or read as a hole */
    :: d_step { U.phase == READ && U.position < log[p].trimmed -> broken_unless_done(u, p) }
    :: d_step { U.phase == READ && U.position < log[p].trimmed -> U.position++ }
    :: d_step { U.phase == READ && U.position >= log[p].trimmed && U.position < log[p].length && !IN_EPOCH ->
        start_again(u) }
    :: d_step { U.phase == READ && U.position >= log[p].trimmed && U.position < log[p].length && IN_EPOCH &&
            VERDICT(log[p].at[U.position]) != UNDECIDED ->
        v = VERDICT(log[p].at[U.position]);
        judged(u, v) }
#ifndef M_NO_VOID
    /* the time of one that nobody decides is up: any time */
    :: d_step { U.phase == READ && U.position >= log[p].trimmed && U.position < log[p].length && IN_EPOCH &&
            VERDICT(log[p].at[U.position]) == UNDECIDED ->
        x = log[p].at[U.position];
        rules_void(x);
        judged(u, v) }
#endif
#ifndef IDLE_BLIND
    /* the loop hears of another epoch also where there is nothing to read */
    :: d_step { U.phase == READ && U.position == log[p].length && OPEN && U.epoch != led.epoch -> start_again(u) }
#endif
    :: d_step { U.phase == READ && U.position > U.start -> put_seal(u, p, true) }
    :: d_step { U.phase == READ && U.position > U.start && lost_answers > 0 && U.index == chain[p].length ->
        lost_answers--;
        put_seal(u, p, false) }
    :: d_step { U.phase == BUILD -> build(u, p) }
    :: d_step { U.phase == MANIFEST -> put_manifest(u, p) }
    :: d_step { U.phase == DURABLE ->
        if
        :: IN_EPOCH ->
            ledger_durable(p, U.index);
            if
            :: v == 0 -> U.phase = TRIM
            :: else -> start_again(u)
            fi
        :: else -> start_again(u)
        fi }
    :: d_step { U.phase == TRIM ->
        if
        :: log[p].trimmed < U.position -> log[p].trimmed = U.position
        :: else -> skip
        fi;
        U.index++;
        U.start = U.position;
        U.kept = 0;
        U.phase = READ }
    :: d_step { U.phase != FIND && crashes > 0 ->
        printf("uploader %d: crashes\n", u);
        crashes--;
        start_again(u) }
    od
}

/* ---- services/emitter: receipts.c ---- */

#ifdef M_RECEIPT_EARLY
#define STRIPE_DONE(s) (led.stripe[s].at == LINES)
#else
#define STRIPE_DONE(s) (led.stripe[s].at == LINES && OUTSTANDING(s) == 0)
#endif
#define DUE (!led.receipted && STRIPE_DONE(0) && STRIPE_DONE(STRIPES - 1)) /* ledger_due */

proctype emitter() {
    byte phase;
end:
    do
    :: d_step { phase == 0 && OPEN && DUE -> phase = 1 }
    :: d_step { phase == 1 ->
        assert(listed == ALL_LINES); /* NO RECEIPT BEFORE ALL IS DURABLE */
        printf("emitter: receipt\n");
        receipt = 1;
        phase = 2 }
    :: d_step { phase == 2 && OPEN ->
        led.receipted = 1;
        phase = 0 }
    od
}

/* ---- services/recovery: recovery.c, and ledger_rules_recover.c ---- */

#define IDLE 0
#define LOOKED 1  /* ledger_identity, highest_epoch */
#define BARRIER 2 /* owns the token; barriers up to partition `p` are put, and the log behind them read */
#define GIVE 3    /* winners of seals up to partition `p` are given */
#define END 4

typedef Recoverer {
    byte phase, seen, chains, target, part;
    byte given, unsealed /* a bit an attempt */
};
Recoverer rec[RECOVERERS + 1]; /* from 1: 0 is nobody's token */
#define R rec[r]
#define OWNS (led.token == r && R.phase > LOOKED)

inline forget(r) {
    R.phase = IDLE;
    R.seen = 0;
    R.chains = 0;
    R.target = 0;
    R.part = 0;
    R.given = 0;
    R.unsealed = 0
}

inline highest_in(p) { /* the highest epoch of a seal of the chain -> v */
    v = 0;
    for (i : 0 .. SEALS - 1) {
        if
        :: i < chain[p].length && chain[p].seal[i].epoch > v -> v = chain[p].seal[i].epoch
        :: else -> skip
        fi
    }
}

inline highest_epoch(r) {
    for (j : 0 .. PARTITIONS - 1) {
        highest_in(j);
        if
        :: v > R.chains -> R.chains = v
        :: else -> skip
        fi
    }
}

inline put_barrier(r, p) { /* and unsealed_read() of what is behind it */
    x = START(p, chain[p].length);
#ifndef M_NO_BARRIER
    chain[p].seal[chain[p].length].end = x;
    chain[p].seal[chain[p].length].kept = 0;
    chain[p].seal[chain[p].length].epoch = R.target;
    chain[p].length++;
#endif
    for (i : 0 .. ATTEMPTS - 1) {
        if
        :: i >= x && i < log[p].length -> R.unsealed = R.unsealed | (1 << log[p].at[i])
        :: else -> skip
        fi
    }
}

#ifdef ALL_SEALS
#define GIVE_FROM(p) 0 /* the code: every seal of the chain */
#else
#define GIVE_FROM(p) led.next[p] /* those before it were told durable: the ledger's own winners have them, or forgot */
#endif

inline give_chain(r, p) {
    for (i : 0 .. SEALS - 1) {
        if
        :: i >= GIVE_FROM(p) && i < chain[p].length ->
            for (j : 0 .. ATTEMPTS - 1) {
                if
                :: (chain[p].seal[i].kept >> j) & 1 -> R.given = R.given | (1 << log[p].at[j])
                :: else -> skip
                fi
            }
        :: else -> skip
        fi
    }
}

inline give_predecessors(r) { /* give_unsealed(): transitively; an attempt is begun after its predecessor */
#ifdef M_NO_PREDECESSORS
    skip
#else
    i = attempts;
    do
    :: i == 0 -> break
    :: else ->
        if
        :: ((R.given >> i) & 1) && att[i].pred != 0 && ((R.unsealed >> att[i].pred) & 1) ->
            R.given = R.given | (1 << att[i].pred)
        :: else -> skip
        fi;
        i--
    od
#endif
}

inline keep_own(r, s) { /* own winners that meet a given one of another id fall, and all behind them */
    good = true;
    for (j : led.stripe[s].base .. LINES - 1) {
        for (i : 1 .. attempts) {
            if
            :: led.stripe[s].win[j] != 0 && ((R.given >> i) & 1) && att[i].stripe == s && ID(i) != led.stripe[s].win[j] &&
                    att[i].from < led.stripe[s].to[j] && j < att[i].to -> good = false
            :: else -> skip
            fi
        }
#ifdef M_NO_OWN_WINNERS
        good = false;
#endif
        if
        :: !good -> led.stripe[s].win[j] = 0; led.stripe[s].to[j] = 0
        :: else -> skip
        fi
    }
}

inline add_given(r, s) {
    for (i : 1 .. attempts) {
        if
        :: ((R.given >> i) & 1) && att[i].stripe == s && att[i].from >= led.stripe[s].base ->
            if
            :: led.stripe[s].win[att[i].from] != 0 && led.stripe[s].win[att[i].from] != ID(i) -> BROKEN /* two overlap */
            :: else -> skip
            fi;
            led.stripe[s].win[att[i].from] = ID(i);
            led.stripe[s].to[att[i].from] = att[i].to
        :: else -> skip
        fi
    }
}

inline unite(r, s) { /* rules_recover() */
    keep_own(r, s);
    add_given(r, s);
    led.stripe[s].at = led.stripe[s].base;
    led.stripe[s].last = 0;
    for (j : led.stripe[s].base .. LINES - 1) {
        if
        :: led.stripe[s].win[j] != 0 ->
#if !defined(M_NO_PREDECESSORS) && !defined(M_NO_OWN_WINNERS)
            if
            :: led.stripe[s].at != j -> BROKEN /* "no winner is left for the range before it" */
            :: else -> skip
            fi;
#endif
            led.stripe[s].at = led.stripe[s].to[j];
            led.stripe[s].last = led.stripe[s].win[j]
        :: else -> skip
        fi
    }
}

inline recover_end(r) {
    give_predecessors(r);
    for (x : 0 .. STRIPES - 1) {
        unite(r, x)
    }
    led.voids = 0;
    led.epoch = R.target;
    led.target = 0;
    led.token = 0;
    suspect = 0
}

proctype recoverer(byte r) {
end:
    do
    :: d_step { R.phase == IDLE && !OPEN && begins > 0 ->
        printf("recoverer %d: looks, epoch %d\n", r, led.epoch);
        R.seen = led.epoch;
        highest_epoch(r);
        R.phase = LOOKED }
    :: d_step { R.phase == LOOKED && !OPEN && begins > 0 && R.seen == led.epoch ->
        printf("recoverer %d: begins\n", r);
        begins--;
        R.target = (led.epoch > led.target -> led.epoch : led.target);
        R.target = 1 + (R.target > R.chains -> R.target : R.chains);
        R.chains = 0;
        R.seen = 0;
        led.target = R.target;
        led.token = r;
        R.phase = BARRIER }
    :: d_step { R.phase == LOOKED && (OPEN || begins == 0 || R.seen != led.epoch) -> forget(r) }
    /* the store knows no token: one that was taken over still puts its barriers */
    :: d_step { R.phase == BARRIER ->
        printf("recoverer %d: barrier of epoch %d in partition %d\n", r, R.target, R.part);
        y = R.part;
        highest_in(y);
        if
#ifndef M_TARGET_NOT_CHECKED
        :: v >= R.target -> forget(r) /* another opened that epoch since the chains were looked at */
#endif
        :: else ->
            put_barrier(r, y);
            R.part++;
            if
            :: R.part == PARTITIONS -> R.part = 0; R.phase = GIVE
            :: else -> skip
            fi
        fi }
    :: d_step { R.phase == GIVE && OWNS ->
        y = R.part;
        give_chain(r, y);
        R.part++;
        if
        :: R.part == PARTITIONS -> R.part = 0; R.phase = END
        :: else -> skip
        fi }
    :: d_step { R.phase == END && OWNS ->
        recover_end(r);
        printf("recoverer %d: ends, epoch %d\n", r, led.epoch);
        forget(r) }
    :: d_step { R.phase >= GIVE && !OWNS -> forget(r) }
    od
}

/* ---- the world: a ledger is set back ---- */

inline copy_ledger(dest, src) {
    for (i : 0 .. STRIPES - 1) {
        dest.stripe[i].at = src.stripe[i].at;
        dest.stripe[i].last = src.stripe[i].last;
        dest.stripe[i].base = src.stripe[i].base;
        for (j : 0 .. LINES - 1) {
            dest.stripe[i].win[j] = src.stripe[i].win[j];
            dest.stripe[i].to[j] = src.stripe[i].to[j]
        }
    }
    dest.voids = src.voids;
    for (i : 0 .. ATTEMPTS) {
        dest.durable[i] = src.durable[i]
    }
    for (i : 0 .. PARTITIONS - 1) {
        dest.next[i] = src.next[i]
    }
    dest.epoch = src.epoch;
    dest.target = src.target;
    dest.receipted = src.receipted
}

#ifdef EMBEDDED
/* On one machine a state folder is set back while nobody runs: all is forgotten, and recovery_check() decides at the
 * next start whether there is anything to recover. If not, the epoch goes on. */
inline restart_all() {
    for (i : 0 .. LANES - 1) {
        retire(i);
        retire(i)
    }
    for (i : 0 .. PARTITIONS * UPLOADERS - 1) {
        start_again(i)
    }
    for (i : 1 .. RECOVERERS) {
        forget(i)
    }
}

inline recovery_check(p) {
    for (i : 0 .. SEALS - 1) {
        if
        :: i < chain[p].length && i >= led.next[p] ->
            suspect = suspect || chain[p].seal[i].epoch > led.epoch;
            for (j : 0 .. ATTEMPTS - 1) {
                if
                :: (chain[p].seal[i].kept >> j) & 1 -> suspect = suspect || VERDICT(log[p].at[j]) != WON
                :: else -> skip
                fi
            }
        :: else -> skip
        fi
    }
}
#endif

proctype disk() {
end:
    do
    :: d_step { rollbacks > 0 && !has_saved ->
        printf("this state of the ledger will come back\n");
        copy_ledger(saved, led);
        has_saved = 1 }
    :: d_step { has_saved ->
        rollbacks--;
        printf("THE LEDGER IS SET BACK\n");
        copy_ledger(led, saved);
        led.token = 0; /* a token holds the run id that it was taken under */
        has_saved = 0;
#ifdef EMBEDDED
        restart_all();
        suspect = (led.target != 0);
        for (k : 0 .. PARTITIONS - 1) {
            recovery_check(k)
        }
#elif !defined(M_UNNOTICED)
        suspect = 1;
#endif
        copy_ledger(saved, nothing) }
    od
}

/* ---- what must hold at the end: nobody has anything left to do ---- */

#define BELOW(s) (led.stripe[s].at * 3 / 2) /* lines below the checkpoint, a bit each: 0, 1, 3 */
#if STRIPES == 1
#define CONVERTED BELOW(0)
#else
#define CONVERTED (BELOW(0) | BELOW(1) << LINES)
#endif

proctype monitor() {
    timeout -> d_step {
        if
        :: suspect || led.token != 0 -> assert(begins == 0) /* no recovery is left to this run */
        :: else ->
            assert((listed & CONVERTED) == CONVERTED); /* NO LOSS: what the ledger calls converted is listed */
            if
            :: CONVERTED == ALL_LINES ->
                assert(receipt && led.receipted); /* A RECEIPT IN THE END */
#ifdef REACH
                assert(false); /* so that `check` sees that an end is reached */
#endif
            :: else -> assert(attempts == ATTEMPTS) /* no attempt is left to this run */
            fi
        fi
    }
}

init {
    atomic {
        led.epoch = 1;
        for (i : 0 .. LANES - 1) {
            run worker(i)
        }
        for (i : 0 .. PARTITIONS * UPLOADERS - 1) {
            run uploader(i, i / UPLOADERS)
        }
        run emitter();
#if ROLLBACKS > 0
        run disk();
        for (i : 1 .. RECOVERERS) {
            run recoverer(i)
        }
#endif
        run monitor()
    }
}
