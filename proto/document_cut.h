/* SPDX-License-Identifier: Apache-2.0 */
/* document_cut: takes long lists out of the text of a JSON object, so that each element can be parsed alone.
 *
 * A manifest lists tens of thousands of attempts, and a parser's tree takes several times the text: 110 MiB for 30 MiB.
 * Cut, only the longest element is a tree at a time. This looks for brackets and the ends of strings only: what is cut
 * out and what is left over go to the JSON parser, every byte of the text in one of them but white space, commas and
 * brackets around elements, which are checked here. So all is refused that the whole text would be refused for.
 *
 * Memory: 16 bytes an element; the rest is a copy. Threads: pure. Limits: one element in DOCUMENT_ELEMENT_MIN bytes of
 * text. Fails: RC_BAD with the list's key. */
#ifndef SLUICE_DOCUMENT_CUT_H
#define SLUICE_DOCUMENT_CUT_H

#include "buf.h"
#include "rc.h"
#include "str.h"

struct document_list {
    const char *key;
    struct str *elements; /* their texts, in the text that was cut; not parsed yet */
    size_t len, room;
    bool found;
};

/* Appends `object` to `rest` with the first list of each of these keys empty. A key that is not there, or no list,
 * stays as it is: document_array() on the parsed rest tells. */
RC document_cut(struct str object, struct document_list *lists, size_t count, struct buf *rest, struct why *why);
void document_list_done(struct document_list *list);

#endif
