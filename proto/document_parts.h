/* SPDX-License-Identifier: Apache-2.0 */
/* document_parts: what several documents hold: counts, settings, the facts of a file. The put functions write keys into
 * the object that is open. Threads: pure. Fails: RC_BAD with the field's name. */
#ifndef SLUICE_DOCUMENT_PARTS_H
#define SLUICE_DOCUMENT_PARTS_H

#include "attempt.h"
#include "counts.h"
#include "document.h"
#include "seal.h"

void document_put_counts(struct json_out *json, const struct counts *counts);
void document_put_settings(struct json_out *json, const struct settings *settings);
void document_put_facts(struct json_out *json, const struct facts *facts);

RC document_counts(struct json_node object, struct counts *out, struct why *why);
RC document_settings(const struct document *document, struct json_node object, struct settings *out, struct why *why);
RC document_facts(const struct document *document, struct json_node object, struct facts *out, struct why *why);

#endif
