/* SPDX-License-Identifier: Apache-2.0 */
/* json_number: the text of a number in a JSON document, for what simdjson does not keep of it. Threads: pure. */
#ifndef SLUICE_JSON_NUMBER_H
#define SLUICE_JSON_NUMBER_H

#include "str.h"

/* The longest run of digits, signs, points and e that `text` begins with. */
struct str json_number(struct str text);
/* Is it a number of RFC 8259, of whatever size? */
bool json_number_valid(struct str number);

#endif
