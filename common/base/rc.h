/* SPDX-License-Identifier: Apache-2.0 */
/* rc: the closed list of outcomes that a function can end with, and the text that explains one.
 *
 * Every function that can fail returns an `enum rc` (declared with the macro RC, so that the compiler refuses to
 * ignore it); what happened in words goes to an optional `struct why *`, which callers wrap on the way up:
 * "outer: inner". Errors of vendors' libraries are mapped to a row here inside the adapter and never leave it.
 *
 * Threads: pure. Limits: a text is cut at WHY_TEXT_MAX - 1 bytes. */
#ifndef SLUICE_RC_H
#define SLUICE_RC_H

#include <stdbool.h>

enum rc {
    RC_OK,     /* done */
    RC_BUSY,   /* not now: try again later, with backoff */
    RC_STALE,  /* a decision was lost, or our view is old: read again and decide anew */
    RC_ABSENT, /* there is no such thing; the caller knows what that means */
    RC_BAD,    /* bad input: reject it with this reason and go on */
    RC_LIMIT,  /* over a configured bound: split, reject or wait */
    RC_STOP,   /* we are draining: unwind quietly */
    RC_DENIED, /* credentials or configuration: a person has to act, retrying does not help */
    RC_BROKEN, /* a checksum or an invariant of the outside world does not hold: stop loudly */
    RC_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define RC MUST_CHECK enum rc

enum { WHY_TEXT_MAX = 1024 };

/* why: the words to an outcome. Start with `struct why why = {0}`. */
struct why {
    char text[WHY_TEXT_MAX];
};

/* The outcome's name for logs and metrics: "busy". Never NULL. */
const char *rc_name(enum rc rc);
/* The process exit code for an outcome that ends the program; INTERFACES.md lists them. */
int rc_exit_code(enum rc rc);

/* Sets the words and gives `rc` back, so that failing is one line: return why_set(why, RC_BAD, "..."). `why` may be
 * NULL. */
enum rc why_set(struct why *why, enum rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": " and strerror(error) behind it. */
enum rc why_errno(struct why *why, enum rc rc, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "<outer>: " in front of the words that are there; gives `rc` back. */
enum rc why_wrap(struct why *why, enum rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* So that compilers and clang-tidy see, in the caller, that a constant outcome is not RC_OK: what a function sets only
 * on success is else "may be used uninitialized" behind TRY. The arguments are still evaluated once. */
#define why_set(why, outcome, ...) WHY_KNOWN(outcome, (why_set)(why, outcome, __VA_ARGS__))
#define why_errno(why, outcome, ...) WHY_KNOWN(outcome, (why_errno)(why, outcome, __VA_ARGS__))
#define why_wrap(why, outcome, ...) WHY_KNOWN(outcome, (why_wrap)(why, outcome, __VA_ARGS__))
#define WHY_KNOWN(outcome, call) (__builtin_constant_p(outcome) ? ((void)(call), (enum rc)(outcome)) : (call))

/* Leaves the function with what `call` returned, unless that is RC_OK. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        enum rc try_rc_ = (call);                                                                                      \
        if (try_rc_ != RC_OK) return try_rc_;                                                                          \
    } while (0)

#endif
