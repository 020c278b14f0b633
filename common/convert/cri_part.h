/* SPDX-License-Identifier: Apache-2.0 */
/* cri_part: one line of a container's log taken apart as far as joining needs it: whose it is, and whether it goes on.
 *
 *   TIME STREAM TAGS MESSAGE          goes on where the first tag is P
 *   {"log":"TEXT","stream":"S",…      (Docker, as it writes them: this order, no blanks) goes on where TEXT does not
 *                                     end in the escape \n
 *
 * Anything else is no part of anything. Threads: pure. Memory: none; what it gives lies in the line. */
#ifndef SLUICE_CRI_PART_H
#define SLUICE_CRI_PART_H

#include "str.h"

enum { CRI_STREAMS = 2 }; /* stdout, stderr */

struct cri_part {
    size_t stream;
    bool goes_on;
    bool docker;
    struct str before;  /* the message: what a joined line begins with; of CRI without the tags */
    struct str message; /* Docker's with its escapes */
    struct str behind;  /* Docker: from the text's closing quote on */
};

bool cri_part_read(struct str line, struct cri_part *out);

#endif
