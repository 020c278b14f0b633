/* SPDX-License-Identifier: Apache-2.0 */
/* sim_files: what other programs do to the input files, and the memory of it that the check needs: every content that
 * an inode ever had. Threads: one. */
#ifndef SLUICE_SIM_FILES_H
#define SLUICE_SIM_FILES_H

#include "rng.h"
#include "source.h"

enum { SIM_SOURCES = 2 };
enum { SIM_RAW, SIM_NDJSON }; /* which source a file is of */

/* What the size was, and since when. */
struct sim_size {
    size_t len;
    uint64_t from_ms;
};
enum { SIM_SIZES = 64 };

/* One content of one inode: grows at its end; anything else begins another one. */
struct sim_content {
    int source;
    uint64_t inode;
    int64_t birth_ns;
    char *bytes;
    size_t len, room;
    size_t taken; /* how much of it was there when it was taken over from the content before (a truncation) */
    struct sim_size sizes[SIM_SIZES]; /* the last ones, a ring */
    size_t sizes_len;
};

/* A name in the input directory. */
struct sim_name {
    char path[64];
    size_t content; /* index; it is the inode's present one */
    char rest[400]; /* what is still to be written of a line that was begun */
    size_t again;   /* a content, plus one, that is being written again after a truncation; 0: none */
    bool listed;    /* matches the source's pattern */
};

struct sim_files {
    struct source source; /* borrowed: a handle of its own */
    struct rng rng;
    struct sim_content *contents;
    size_t contents_len, contents_room;
    struct sim_name *names;
    size_t names_len, names_room;
    uint64_t lines, made, rotations;
    size_t line_bytes_max, stripe_bytes;
    const uint64_t *now_ms;
    bool wild; /* truncations, rewriting, deleting and replacing, too */
    char told[160];
};

/* The caller sets line_bytes_max, stripe_bytes, now_ms and wild. */
void sim_files_init(struct sim_files *files, struct source source, struct rng rng);
void sim_files_done(struct sim_files *files);
/* One thing happens to one file; .told says what. */
void sim_files_change(struct sim_files *files);
/* The file is cut at `from` or somewhere behind it and written on past where it ended, at once. */
void sim_files_regrow(struct sim_files *files, uint64_t inode, uint64_t from);
/* Deletes a file and makes another one with its inode; nobody may hold any file open. */
void sim_files_reuse_inode(struct sim_files *files);
/* It is not there any more. */
void sim_files_forget(struct sim_files *files, struct sim_name *name);
/* The last content of the inode, NULL: never heard of. */
const struct sim_content *sim_files_last(const struct sim_files *files, uint64_t inode, int64_t birth_ns);

/* For how long the content was of this size, the longest time of the last ones; 0: never. */
uint64_t sim_content_was(const struct sim_content *content, size_t len, uint64_t now_ms);

#endif
