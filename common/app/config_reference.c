/* SPDX-License-Identifier: Apache-2.0 */
#include "config_reference.h"

#include "config_table.h"
#include "config_value.h"

static const char HEAD[] =
    "# Configuration\n"
    "\n"
    "<!-- Written by the program from its table of keys; change common/app/config_table.c, not this file. -->\n"
    "\n"
    "The file is YAML (at most 1 MiB) without anchors, aliases, tags and a second document. `sluice check CONFIG` "
    "reads "
    "and checks it without running; `sluice config schema` prints a JSON Schema for editors. What is not understood is "
    "an error that names `FILE:LINE:COLUMN`, the key, and what is allowed.\n"
    "\n"
    "- In every value `${NAME}` is the variable of the environment (an error when it is not set), `${NAME:-text}` is "
    "`text` when it is not set or empty, `${file:/PATH}` is what that file holds (for secrets; a line "
    "end behind it is left out), and `$$` is a dollar sign.\n"
    "- Sizes: a number of bytes, with `KiB`, `MiB`, `GiB`, `TiB` (powers of 1024) or `kB`, `MB`, `GB`, `TB` (powers of "
    "1000) behind it.\n"
    "- Times: a number with `ms`, `s`, `m`, `h` or `d`, also several: `1h30m`.\n"
    "- Paths may be relative to the folder of the file.\n";

/* A '|' ends a cell of a Markdown table. */
static void cell(struct buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|') buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
}

static void names(struct buf *out, const struct config_row *row) {
    for (size_t i = 0; row->names[i]; i++) buf_add_format(out, "%s`%s`", i ? ", " : "", row->names[i]);
}

static void allowed(struct buf *out, const struct config_row *row) {
    switch (row->kind) {
    case CONFIG_MAP: buf_add(out, STR("a map of the keys below")); break;
    case CONFIG_LIST:
        buf_add_format(out, "a list of %d to %d maps of the keys below", (int)row->low, (int)row->high);
        break;
    case CONFIG_STRS: buf_add_format(out, "a list of %d to %d texts", (int)row->low, (int)row->high); break;
    case CONFIG_PAIRS:
        buf_add_format(out, "a map of %d to %d names to ", (int)row->low, (int)row->high);
        if (row->names)
            names(out, row);
        else
            buf_add(out, STR("texts"));
        break;
    case CONFIG_TEXT: cell(out, row->allowed ? row->allowed : "text"); break;
    case CONFIG_ENUM: names(out, row); break;
    case CONFIG_BOOL: buf_add(out, STR("`true`, `false`")); break;
    default:
        buf_add_format(out, "%s to ", config_value_format(row->kind, row->low).text);
        buf_add_format(out, "%s", config_value_format(row->kind, row->high).text);
        break;
    }
}

static void fallback(struct buf *out, const struct config_row *row) {
    if (row->required)
        buf_add(out, STR("required"));
    else if (row->fallback && !*row->fallback)
        buf_add(out, STR("`\"\"`"));
    else if (row->fallback)
        buf_add_format(out, "`%s`", row->fallback);
    else
        buf_add(out, STR("none"));
}

static void line(struct buf *out, const struct config_row *row) {
    buf_add_format(out, "| `%s` | ", row->path);
    allowed(out, row);
    buf_add(out, STR(" | "));
    fallback(out, row);
    buf_add(out, STR(" | "));
    cell(out, row->about);
    buf_add(out, STR(" |\n"));
}

void config_reference_markdown(struct buf *out) {
    buf_add(out, str_of(HEAD));
    buf_add(out, STR("\n| key | allowed | default | meaning |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < config_table_count; i++) line(out, &config_table[i]);
}
