/* SPDX-License-Identifier: Apache-2.0 */
/* posix_fixture: a scratch directory and a POSIX source on it, and a listing that counts. */
#ifndef SLUICE_POSIX_FIXTURE_H
#define SLUICE_POSIX_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"
#include "source_posix.h"

struct posix_fixture {
    struct scratch scratch;
    struct source source;
    bool follow;
};

struct posix_listing {
    struct source_entry last; /* its uri is in .uri */
    char uri[16384];
    size_t files, problems;
    enum rc problem;
    struct why why; /* of the last problem */
};

struct posix_fixture posix_make(void);
void posix_done(struct posix_fixture *f);
/* Lists the glob below the scratch directory. */
struct posix_listing posix_list(struct posix_fixture *f, const char *glob);
/* The one file of this name; the test fails when there is another number. */
struct source_stat posix_stat(struct posix_fixture *f, const char *name);
/* source_open etc. by path below the scratch directory. */
enum rc posix_open(struct posix_fixture *f, const char *name, const struct source_stat *expected,
                   struct source_file **out, struct why *why);
/* Appends the URI of the name. */
struct str posix_uri(struct posix_fixture *f, const char *name, char out[16384]);
void posix_write(struct posix_fixture *f, const char *name, const char *text);
/* Runs `check` in a child that is not root (whom no permission holds back); it must be true. */
void posix_as_nobody(bool (*check)(const char *path), const char *path);

#endif
