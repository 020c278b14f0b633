/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_fixture.h"

#include "own.h"
#include "source_uri.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct posix_fixture posix_make(void) {
    struct posix_fixture f = {.scratch = scratch_make()};
    assert_int_equal(source_posix_open(&f.source, NULL), RC_OK);
    return f;
}

void posix_done(struct posix_fixture *f) {
    source_free(f->source);
    scratch_done(&f->scratch);
}

static enum rc see(void *context, const struct source_entry *entry) {
    struct posix_listing *listing = context;
    listing->files++;
    listing->last = *entry;
    memcpy(listing->uri, entry->uri.at, entry->uri.len);
    listing->uri[entry->uri.len] = '\0';
    listing->last.uri.at = NULL;
    return RC_OK;
}

static void problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    struct posix_listing *listing = context;
    assert_true(uri.len > 0);
    listing->problems++;
    listing->problem = rc;
    listing->why = *why;
}

struct posix_listing posix_list(struct posix_fixture *f, const char *glob) {
    struct posix_listing listing = {.files = 0};
    struct why why = {0};
    char path[SCRATCH_PATH];
    struct str text = str_of(scratch_path(&f->scratch, glob, path));
    const struct source_pattern pattern = {.paths = &text, .paths_len = 1, .follow_symlinks = f->follow};
    if (source_list(f->source, &pattern, see, problem, &listing, &why) != RC_OK) fail_msg("%s", why.text);
    return listing;
}

struct source_stat posix_stat(struct posix_fixture *f, const char *name) {
    struct posix_listing listing = posix_list(f, name);
    assert_int_equal(listing.files, 1);
    return listing.last.stat;
}

struct str posix_uri(struct posix_fixture *f, const char *name, char out[16384]) {
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    char path[SCRATCH_PATH];
    assert_int_equal(source_uri_encode(str_of(scratch_path(&f->scratch, name, path)), &uri), RC_OK);
    memcpy(out, uri.at, uri.len);
    return (struct str){out, uri.len};
}

enum rc posix_open(struct posix_fixture *f, const char *name, const struct source_stat *expected,
                   struct source_file **out, struct why *why) {
    char uri[16384];
    return source_open(f->source, posix_uri(f, name, uri), expected, out, why);
}

void posix_write(struct posix_fixture *f, const char *name, const char *text) {
    scratch_write(&f->scratch, name, text, strlen(text));
}

void posix_as_nobody(bool (*check)(const char *path), const char *path) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enum { NOBODY = 65534 };
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) _exit(2);
        _exit(check(path) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}
