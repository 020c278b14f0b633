/* SPDX-License-Identifier: Apache-2.0 */
/* folders: the texts that many names begin with, each kept once: of the URIs of 200,000 files all but the last part are
 * mostly the same few. A folder has a number for as long as somebody uses it.
 *
 * Memory: its text and 24 bytes a folder. Threads: one at a time. Limits: 2^32 - 2 folders. Fails: never. */
#ifndef SLUICE_FOLDERS_H
#define SLUICE_FOLDERS_H

#include "str.h"

#include <stddef.h>
#include <stdint.h>

struct folder {
    char *text; /* NULL: free */
    uint32_t len, users;
};

struct folders {
    struct folder *at;
    size_t len, room;
    uint32_t *index; /* by hash of the text, open addressing, FOLDERS_NONE is empty */
    size_t index_room, live;
    uint32_t *unused; /* numbers to be used again */
    size_t unused_len, unused_room;
};

enum { FOLDERS_NONE = UINT32_MAX };

void folders_done(struct folders *folders);
/* The number of this text, with one user more. */
uint32_t folders_take(struct folders *folders, struct str text);
/* One user less. */
void folders_drop(struct folders *folders, uint32_t number);
static inline struct str folders_text(const struct folders *folders, uint32_t number) {
    return (struct str){folders->at[number].text, folders->at[number].len};
}

#endif
