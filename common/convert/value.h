/* SPDX-License-Identifier: Apache-2.0 */
/* value: a text of the input to a JSON value, as a string or by its type.
 *
 *   text     a string
 *   integer  digits with an optional sign, of any number: 007 is 7, +5 is 5
 *   number   an integer, optionally with a fraction and an exponent: -1.5e3. The digits stay as they are written
 *   boolean  true, false (in any case), 1, 0
 *   auto     a JSON number, true, false or null as it is; anything else a string
 * An empty integer, number or boolean is null. Numbers are copied, never calculated with, so none loses a digit.
 *
 * Memory: the caller's. All read up to SCAN_SLACK bytes behind `text` and write as many behind their end. Threads:
 * pure. */
#ifndef SLUICE_VALUE_H
#define SLUICE_VALUE_H

#include "str.h"

enum value_type { VALUE_TEXT, VALUE_INTEGER, VALUE_NUMBER, VALUE_BOOLEAN, VALUE_AUTO, VALUE_RAW /* is JSON */ };

/* "integer"; RC_BAD for what is none. */
RC value_type_of(struct str name, enum value_type *out);

enum { VALUE_GROWTH = 6, VALUE_EXTRA = 4 }; /* n bytes become at most n * 6 + 4: "\u0000", null */

/* A JSON string: UTF-8 with '"' around it and what has to be escaped. Gives its end. */
char *value_string(char *to, struct str text);
/* The same for text in which nothing has to be escaped. */
char *value_plain(char *to, struct str text);
/* Any type; NULL when the text is not of it. *out_written is what a partition sees: the text, or the JSON literal in
 * the output; .at NULL for null. `plain` as said above. */
char *value_write(char *to, struct str text, enum value_type type, bool plain, struct str *out_written);

#endif
