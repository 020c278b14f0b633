/* SPDX-License-Identifier: Apache-2.0 */
#include "repair.h"

#include "alloc.h"
#include "log.h"
#include "losses.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "remake.h"
#include "inquest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 1024, KEYS_MAX = 1 << 30 };

struct repair {
    const struct repair_ports *ports;
    const struct repair_settings *settings;
    struct repair_result *result;
    struct inquest_partition *known; /* what the ledger told before it was shut */
    bool quiet;                      /* it was told before */
};

__attribute__((format(printf, 2, 3))) static void tell(const struct repair *r, const char *format, ...) {
    char words[WORDS];
    va_list list;
    if (r->quiet || !r->settings->tell) return;
    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    r->settings->tell(r->settings->context, words);
}

static bool is_of_the_attempt(enum rc rc) {
    return rc == RC_BROKEN || rc == RC_ABSENT || rc == RC_STALE || rc == RC_BAD || rc == RC_DENIED;
}

/* ---- looking ---- */

static RC know(struct repair *r, struct ledger ledger, struct why *why) {
    uint32_t n = r->settings->recovery.partitions;
    r->known = alloc_zero(n, sizeof *r->known);
    for (uint32_t k = 0; k < n; k++) {
        TRY(ledger_durable_next(ledger, k, &r->known[k].told, why));
        TRY(ledger_acknowledged(ledger, k, &r->known[k].acknowledged, why));
    }
    return RC_OK;
}

static RC look(const struct repair *r, struct inquest *s, struct why *why) {
    const struct repair_settings *settings = r->settings;
    *s = (struct inquest){.broker = r->ports->broker,
                          .store = r->ports->store,
                          .queue = settings->recovery.queue,
                          .generation = r->ports->ledger.at.generation,
                          .partitions = r->known,
                          .partitions_len = settings->recovery.partitions};
    for (uint32_t k = 0; k < s->partitions_len; k++)
        r->known[k] = (struct inquest_partition){.told = r->known[k].told, .acknowledged = r->known[k].acknowledged};
    return inquest_run(s, r->ports->ledger, why);
}

static void tell_partition(const struct repair *r, uint32_t k, const struct inquest_partition *p) {
    if (p->damaged) tell(r, "partition %u: what is not sealed cannot be read; it is left out", k);
    if (p->log_start > p->chain_end)
        tell(r, "partition %u: the queue begins at %llu, and is sealed up to %llu: what is between is lost", k,
             (unsigned long long)p->log_start, (unsigned long long)p->chain_end);
    uint64_t end = MAX(p->chain_end, p->acknowledged);
    if (p->log_end < end)
        tell(r, "partition %u: the queue ends at %llu, and went up to %llu: what is between is lost", k,
             (unsigned long long)p->log_end, (unsigned long long)end);
    for (const struct inquest_seal *seal = p->seals; seal; seal = seal->next)
        if (seal->given_up)
            tell(r, "partition %u: batch %llu was sealed, and its blocks are not all there: it is given up", k,
                 (unsigned long long)seal->index);
}

static void count_partitions(const struct repair *r, const struct inquest *s) {
    for (uint32_t k = 0; k < s->partitions_len; k++) {
        const struct inquest_partition *p = &s->partitions[k];
        if (!inquest_partition_is_hurt(p)) continue;
        r->result->partitions++;
        r->result->hurt = true;
        for (const struct inquest_seal *seal = p->seals; seal; seal = seal->next) r->result->seals += seal->given_up;
        tell_partition(r, k, p);
    }
}

/* ---- attempts ---- */

static void tell_lost(const struct repair *r, const struct lost_attempt *a, const struct why *why) {
    char id[ID_TEXT];
    r->result->lost++;
    r->result->lost_lines += a->won.counts.lines;
    tell(r,
         "cannot be made again: %u of %u messages of bytes [%llu, %llu) of %.*s (%llu lines, file %s, stripe %llu): %s",
         lost_missing(a), a->won.messages, (unsigned long long)a->won.from, (unsigned long long)a->won.to,
         STR_ARG(a->facts.uri), (unsigned long long)a->won.counts.lines, id_format(a->attempt.file, id),
         (unsigned long long)a->won.stripe, why->text);
}

struct sending {
    bool on;
    struct id token;
    uint64_t epoch;
};

/* Is the token still ours? Another recoverer would open the ledger, and append what we append. */
static RC check_token(const struct repair *r, const struct sending *sending, struct why *why) {
    uint64_t ignored = 0;
    return sending->on ? ledger_recover_next(r->ports->ledger, sending->token, 0, &ignored, why) : RC_OK;
}

static RC one_attempt(struct repair *r, struct remake *remake, struct lost_attempt *a, const struct sending *sending,
                      struct why *why) {
    struct why words = {0};
    uint32_t messages = lost_missing(a);
    enum rc rc = remake_convert(remake, a, &words);
    if (rc != RC_OK && !is_of_the_attempt(rc)) return why_set(why, rc, "%s", words.text);
    r->result->hurt = true;
    if (rc != RC_OK) {
        tell_lost(r, a, &words);
        return sending->on ? losses_note(r->ports->store, r->ports->ledger.at.generation, a, why) : RC_OK;
    }
    TRY(check_token(r, sending, why));
    if (sending->on) TRY(losses_forget(r->ports->store, r->ports->ledger.at.generation, a, why));
    if (sending->on) TRY(remake_append(remake, a, sending->epoch, &messages, why));
    r->result->attempts++;
    r->result->messages += messages;
    return RC_OK;
}

static RC all_attempts(struct repair *r, struct inquest *s, const struct sending *sending, struct why *why) {
    AUTO(remake_done) struct remake *remake = NULL;
    struct remake_settings settings = {.worker = r->settings->worker,
                                       .source = r->ports->source,
                                       .broker = r->ports->broker,
                                       .ledger = r->ports->ledger,
                                       .partitions = r->settings->recovery.partitions,
                                       .patterns = r->settings->patterns,
                                       .patterns_len = r->settings->patterns_len};
    TRY(remake_new(&settings, &remake, why));
    for (size_t i = 0; i < s->lost.len; i++) {
        struct lost_attempt *a = s->lost.attempts[i];
        if (lost_missing(a)) TRY(one_attempt(r, remake, a, sending, why));
    }
    return RC_OK;
}

/* ---- chains ---- */

static struct chain chain_of(const struct inquest *s, uint32_t partition) {
    return (struct chain){s->store, s->queue, s->generation, partition};
}

static RC put_manifest(const struct chain *chain, const struct seal *seal, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct manifest m = {.queue = seal->queue,
                         .generation = seal->generation,
                         .partition = seal->partition,
                         .index = seal->index,
                         .start = seal->start,
                         .end = seal->end,
                         .epoch = seal->epoch,
                         .settings = seal->settings,
                         .given_up = seal->blocks_len,
                         .attempts = ARENA_ARRAY(&arena, struct manifest_attempt, seal->trailers_len)};
    for (size_t i = 0; i < seal->trailers_len; i++) {
        const struct block_trailer *t = &seal->trailers[i];
        m.attempts[m.attempts_len++] = (struct manifest_attempt){.attempt = t->attempt,
                                                                 .counts = t->counts,
                                                                 .blocks = t->blocks,
                                                                 .source = t->facts.source,
                                                                 .uri = t->facts.uri};
    }
    return chain_put_manifest(chain, &m, why); /* RC_STALE: an uploader had all that it needed, and was faster */
}

static RC put_seals(const struct inquest *s, uint32_t k, struct why *why) {
    const struct inquest_partition *p = &s->partitions[k];
    struct chain chain = chain_of(s, k);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    for (const struct inquest_seal *at = p->seals; at; at = at->next) {
        struct seal seal;
        if (!at->given_up && p->pending) continue; /* an uploader comes by */
        arena_reset(&arena);
        TRY(chain_get_seal(&chain, at->index, &arena, &seal, why));
        TRY(put_manifest(&chain, &seal, why));
    }
    return RC_OK;
}

/* Where the log has nothing more, the chain goes on behind it. An empty log goes on where it was acknowledged to: so
 * does its start then. */
static RC pass_over(const struct repair *r, const struct inquest *s, uint32_t k, uint64_t epoch, struct why *why) {
    const struct inquest_partition *p = &s->partitions[k];
    struct chain chain = chain_of(s, k);
    bool empty = p->log_start >= p->log_end;
    uint64_t end = p->damaged ? p->log_end : empty ? MAX(p->log_start, p->acknowledged) : p->log_start;
    if (end <= p->chain_end) return RC_OK;
    struct seal seal = {.queue = s->queue,
                        .generation = s->generation,
                        .partition = k,
                        .index = p->index,
                        .start = p->chain_end,
                        .end = end,
                        .epoch = epoch,
                        .settings = r->settings->recovery.output};
    TRY(chain_put_seal(&chain, &seal, why));
    return put_manifest(&chain, &seal, why);
}

/* Before the ledger is shut, in its own epoch: a seal of an epoch above the ledger's would tell that it was set back.
 */
static RC mend_chains(const struct repair *r, const struct inquest *s, struct why *why) {
    for (uint32_t k = 0; k < s->partitions_len; k++) {
        if (!inquest_partition_is_hurt(&s->partitions[k])) continue;
        TRY(put_seals(s, k, why));
        TRY(pass_over(r, s, k, r->ports->ledger.at.epoch, why));
    }
    return RC_OK;
}

static RC mend_log(const struct inquest *s, struct why *why) {
    for (uint32_t k = 0; k < s->partitions_len; k++) {
        const struct inquest_partition *p = &s->partitions[k];
        uint64_t end = MAX(p->chain_end, p->acknowledged);
        if (p->damaged || p->log_start > p->chain_end)
            return why_set(why, RC_STALE, "partition %u was hurt once more meanwhile; run it again", k);
        if (p->log_end < end) TRY(broker_skip_to(s->broker, k, end, why));
    }
    return RC_OK;
}

/* ---- objects of batches that were given up ---- */

struct sweep {
    const struct inquest *inquest;
    struct buf *keys; /* each with a LF behind it */
};

static enum rc see_object(void *context, struct str key, uint64_t bytes) {
    struct sweep *w = context;
    struct name_object name;
    (void)bytes;
    if (name_object_parse(key, &name) != RC_OK || !id_equal(name.queue, w->inquest->queue) ||
        name.partition >= w->inquest->partitions_len)
        return RC_OK;
    buf_add(w->keys, key);
    buf_add_char(w->keys, '\n');
    return buf_rc(w->keys);
}

/* The starts of the batches of a partition that were given up, also by a repair that died. */
struct starts {
    uint64_t *at;
    size_t len, room;
};

static void starts_done(struct starts *starts) { free(starts->at); }

static RC given_up_starts(const struct inquest *s, uint32_t k, struct starts *out, struct why *why) {
    struct chain chain = chain_of(s, k);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    /* From the last batch on that the ledger was told: one that a repair gave up is told only after the repair. */
    for (uint64_t i = s->partitions[k].told; i < s->partitions[k].index; i++) {
        struct manifest m;
        arena_reset(&arena);
        enum rc rc = chain_get_manifest(&chain, i, &arena, &m, why);
        if (rc == RC_ABSENT) continue;
        if (rc != RC_OK) return rc;
        if (!m.given_up) continue;
        alloc_grow(&out->at, &out->room, out->len + 1, sizeof *out->at);
        out->at[out->len++] = m.start;
    }
    return RC_OK;
}

static RC sweep_partition(const struct repair *r, const struct inquest *s, uint32_t k, struct str keys,
                          struct why *why) {
    AUTO(starts_done) struct starts starts = {0};
    struct str key;
    TRY(given_up_starts(s, k, &starts, why));
    while (starts.len && keys.len && str_cut(&keys, '\n', &key)) {
        struct name_object name;
        bool ours = name_object_parse(key, &name) == RC_OK && name.partition == k, drop = false;
        for (size_t i = 0; ours && i < starts.len; i++) drop = drop || starts.at[i] == name.start;
        if (!drop) continue;
        tell(r, "removed %.*s, of a batch that was given up", STR_ARG(key));
        TRY(store_remove(s->store, key, why));
    }
    return RC_OK;
}

/* An uploader may have put some objects of a batch before it was given up: no manifest lists them, but who reads the
 * folder would. */
static RC sweep(const struct repair *r, const struct inquest *s, struct why *why) {
    AUTO(buf_done) struct buf keys = BUF_INIT(KEYS_MAX), prefix = BUF_INIT(NAME_MAX_BYTES);
    struct sweep w = {s, &keys};
    bool any = false;
    for (uint32_t k = 0; k < s->partitions_len && !any; k++) {
        AUTO(starts_done) struct starts starts = {0};
        TRY(given_up_starts(s, k, &starts, why));
        any = starts.len > 0;
    }
    if (!any) return RC_OK;
    buf_add_format(&prefix, "g%llu/", (unsigned long long)s->generation);
    TRY(store_list(s->store, buf_str(&prefix), STR(""), see_object, &w, why));
    buf_reset(&prefix);
    buf_add_format(&prefix, "_rejects/g%llu/", (unsigned long long)s->generation);
    TRY(store_list(s->store, buf_str(&prefix), STR(""), see_object, &w, why));
    for (uint32_t k = 0; k < s->partitions_len; k++) TRY(sweep_partition(r, s, k, buf_str(&keys), why));
    return RC_OK;
}

/* ---- the procedure ---- */

static enum rc mend(void *context, struct id token, uint64_t target, struct why *why) {
    struct repair *r = context;
    AUTO(inquest_done) struct inquest s;
    struct sending sending = {true, token, target};
    r->result->attempts = r->result->messages = r->result->lost = r->result->lost_lines = 0;
    TRY(look(r, &s, why));
    TRY(mend_log(&s, why));
    TRY(sweep(r, &s, why));
    return all_attempts(r, &s, &sending, why);
}

/* What would be done, and whether all of it can be; the chains are mended then. */
static RC rehearse(struct repair *r, struct why *why) {
    AUTO(inquest_done) struct inquest s;
    struct sending nothing = {0};
    TRY(look(r, &s, why));
    count_partitions(r, &s);
    TRY(all_attempts(r, &s, &nothing, why));
    if (r->settings->dry_run && !r->result->lost) return RC_OK;
    if (!r->result->lost || r->settings->accept_loss) return r->settings->dry_run ? RC_OK : mend_chains(r, &s, why);
    return why_set(why, RC_BROKEN,
                   "%llu attempts with %llu lines cannot be made again, as told above. Nothing was changed",
                   (unsigned long long)r->result->lost, (unsigned long long)r->result->lost_lines);
}

/* A ledger that was set back is recovered first: only then it knows all winners. */
static RC recover_first(const struct repair *r, struct ledger *ledger, struct rng *rng, struct why *why) {
    struct recovery_ports ports = {.broker = r->ports->broker, .ledger = r->ports->ledger, .store = r->ports->store};
    struct why found = {0}, words = {0};
    struct ledger_identity who;
    bool needed = false;
    TRY(ledger_identity(ports.ledger, &who, why));
    ports.ledger.at.epoch = who.epoch;
    TRY(recovery_check(&ports, &r->settings->recovery, &needed, &found, why));
    *ledger = ports.ledger;
    if (!needed || (r->settings->dry_run && !who.recovering)) return RC_OK;
    if (r->settings->dry_run)
        return why_set(why, RC_BUSY, "%s: the ledger tells nothing before that is done; run without --dry-run",
                       found.text);
    enum rc rc = recovery_run(&ports, &r->settings->recovery, rng, &ledger->at.epoch, &words);
    if (rc != RC_BROKEN) return rc == RC_OK ? RC_OK : why_set(why, rc, "%s", words.text);
    return why_set(why, rc,
                   "the ledger was set back and the queue lost what could bring it forward again: %s. That cannot be "
                   "repaired: put back a later copy of the ledger, or raise `generation` and convert everything anew",
                   words.text);
}

static void repair_done(struct repair *r) { free(r->known); }

RC repair_run(const struct repair_ports *ports, const struct repair_settings *settings, struct rng *rng,
              struct repair_result *out, struct why *why) {
    struct repair_result result = {0};
    AUTO(repair_done) struct repair r = {.ports = ports, .settings = settings, .result = &result};
    struct repair_ports now = *ports;
    uint64_t epoch = 0;
    TRY(recover_first(&r, &now.ledger, rng, why));
    r.ports = &now;
    TRY(know(&r, now.ledger, why));
    enum rc rc = rehearse(&r, why);
    *out = result;
    if (rc != RC_OK || settings->dry_run || !result.hurt) return rc;
    struct recovery_ports recovery = {.broker = now.broker, .ledger = now.ledger, .store = now.store};
    struct recovery_settings shut = settings->recovery;
    shut.mend = (struct recovery_mend){mend, &r};
    r.quiet = true;
    TRY(recovery_run(&recovery, &shut, rng, &epoch, why));
    LOG_WARN("the queue is repaired", F_U64("epoch", epoch), F_U64("attempts", result.attempts),
             F_U64("messages", result.messages));
    *out = result;
    return RC_OK;
}
