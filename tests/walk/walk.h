/* SPDX-License-Identifier: Apache-2.0 */
/* walk: random actions on real files (written, rotated, cut, regrown, copied, replaced, deleted; in between and while
 * somebody reads) under the real services, which are restarted and killed; and a reference that says of every line
 * how often it has to be in the output, without looking at anything of the product.
 *
 * The services are stepped in one thread with a clock that is a number, on real files and a real SQLite file, with a
 * queue and a store in memory: some hundred walks a second and core, where the program itself would do two. What can
 * happen inside of a call and to several machines is the simulation's (tests/sim).
 *
 * What a line may expect (walk_check.c): it is there exactly once if it could be read when sluice last came to rest
 * with the file under a listed name, or at the end. It may be missing, and only then, if its file was cut, replaced,
 * deleted or moved away before that: nobody can read what is gone. Lines in front of the place where a file was cut may
 * be there twice, once of each file, for what is cut is another file. Nothing is ever there more often, and nothing
 * that was never written.
 *
 * Threads: one run at a time in a process. Memory: some MiB. Disk: a folder in TMPDIR, without it in /dev/shm, removed
 * at the end; on a disk walks wait for its syncs, and freed inodes come back. */
#ifndef SLUICE_WALK_H
#define SLUICE_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Something that is wrong on purpose: a walk must notice it. */
enum walk_break {
    WALK_SOUND,
    WALK_CUTS_UNSEEN,   /* a file is never told to be shorter than it was */
    WALK_NAMES_ARE_IDS, /* a file under another name is another file */
    WALK_BREAKS
};

struct walk_options {
    uint64_t seed;
    enum walk_break broken;
    bool verbose; /* a line an action on stdout */
};

struct walk_result {
    bool ok;
    char text[512]; /* what is wrong */
    uint64_t actions, lines;
    uint64_t must;    /* lines that had to be there */
    uint64_t missing; /* lines that nobody could read in time, and that are not there */
    uint64_t doubled; /* lines in front of a cut that are there of both files */
    uint64_t lives;   /* of the services */
};

void walk_run(const struct walk_options *options, struct walk_result *out);
const char *walk_break_name(enum walk_break broken);
/* WALK_BREAKS: there is none of that name. */
enum walk_break walk_break_parse(const char *name);

#endif
