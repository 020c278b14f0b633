/* SPDX-License-Identifier: Apache-2.0 */
/* store_dir_private: what the files of the directory adapter share. Threads: the fields above `lock` never change after
 * opening; those below it are read and written under it. */
#ifndef SLUICE_STORE_DIR_PRIVATE_H
#define SLUICE_STORE_DIR_PRIVATE_H

#include "id.h"
#include "store_dir.h"

#include <pthread.h>
#include <sys/stat.h>

enum {
    DIR_PATH_ROOM = STORE_KEY_MAX + 1,
    TEMP_NAME_ROOM = 64, /* 32 digits, a dot, 20 digits */
    MADE_SLOTS = 256,    /* directories known to be durable; one lost to another costs a sync, nothing else */
};

/* A key as a path, with its last slash. */
struct dir_path {
    char text[DIR_PATH_ROOM];
    size_t parent_len; /* 0: the root itself */
};

struct store_dir {
    const struct store_dir_calls *calls;
    char *root_name;
    int root, temp, lock_file; /* descriptors: the root, its .tmp, our locked file there */
    bool syncs_at_once;        /* syncfs is to be trusted with many files */
    struct id id;              /* ours, in the names of our temporary files */
    pthread_mutex_t lock;
    uint64_t next_temp;
    char *made[MADE_SLOTS]; /* by hash of the path */
};

struct temp_file {
    int fd; /* -1: none */
    char name[TEMP_NAME_ROOM];
    uint64_t len, started; /* bytes written, and of those given to the disk already */
    char *block;           /* of an upload: what is not written yet */
    size_t filled;
    bool direct;        /* writes go past the page cache */
    bool parents_later; /* who names it makes the directories above it durable */
};

/* ---- store_dir_errno.c ---- */
/* The outcome that a failed call stands for; `doing` and `path` name it. */
enum rc dir_errno(struct why *why, int error, const char *doing, const struct store_dir *dir, const char *path);

/* ---- store_dir_path.c ---- */
void dir_path_of(struct str key, struct dir_path *out);
/* Makes the directories above path's last slash and, with `sync`, makes their names durable. RC_ABSENT: one was removed
 * under us; dir_forget_made() and try again. */
RC dir_make_parents(struct store_dir *dir, const struct dir_path *path, bool sync, struct why *why);
/* Makes the last component's presence or absence durable. */
RC dir_sync_parent(struct store_dir *dir, const struct dir_path *path, struct why *why);
/* Whether there is an object of this name. */
bool dir_is_there(const struct store_dir *dir, const struct dir_path *path);
/* Removes the directories above path's last slash that are empty. */
void dir_prune_parents(struct store_dir *dir, const struct dir_path *path);
/* Forgets which directories are durable: somebody removes them. */
void dir_forget_made(struct store_dir *dir);

/* ---- store_dir_temp.c ---- */
/* Makes and locks our file in .tmp, then removes what dead ones left. */
RC temp_area_open(struct store_dir *dir, struct why *why);
void temp_area_close(struct store_dir *dir);
/* Whether a name in .tmp is one that temp_create() gives. */
bool temp_is_file(const char *name);
RC temp_create(struct store_dir *dir, struct temp_file *out, struct why *why);
RC temp_write(struct store_dir *dir, struct temp_file *temp, struct str bytes, struct why *why);
/* `n` more bytes were written through the page cache: they start on their way to the disk now and then. */
void temp_flush(struct temp_file *temp, size_t n);
/* What errno tells of a call on the file. */
enum rc temp_failed(struct store_dir *dir, const struct temp_file *temp, const char *doing, struct why *why);
RC temp_sync(struct store_dir *dir, struct temp_file *temp, struct why *why);
/* Gives a synced file the key's name; replaces what is there, or RC_STALE. */
RC temp_publish(struct store_dir *dir, struct temp_file *temp, struct str key, bool replace, struct why *why);
/* The same without making the name durable, which dir_sync_parent does: for RC_STALE too, as whoever named it may have
 * died before it could. */
RC temp_name(struct store_dir *dir, struct temp_file *temp, struct str key, bool replace, struct why *why);
/* Gives what was written to the disk, without waiting: a hint, so that the syncs of many files wait once. */
void temp_start(struct temp_file *temp);
/* Closes the file and removes it if it still is in .tmp. */
void temp_drop(struct store_dir *dir, struct temp_file *temp);

/* ---- store_dir_stream.c: an upload's bytes; after temp_create, instead of temp_write ---- */
RC stream_add(struct store_dir *dir, struct temp_file *temp, struct str bytes, struct why *why);
/* Writes what is left. */
RC stream_end(struct store_dir *dir, struct temp_file *temp, struct why *why);

/* ---- store_dir_many.c ---- */
bool dir_syncs_at_once(const struct store_dir *dir);
void dir_put_absent_many(void *self, const struct store_item *items, size_t n, enum rc *out_rcs, struct why *why);

/* ---- store_dir_uploads.c ---- */
enum rc dir_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why);
enum rc dir_upload_remove(void *self, struct str key, struct str upload, struct why *why);

/* ---- store_dir_list.c ---- */
enum rc dir_list(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why);

#endif
