/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include "own.h"
#include "wire.h"
#include "wire_parts.h"

RC job_encode(const struct job *job, struct buf *out) {
    TRY(check_facts(&job->facts, NULL));
    if (job->at.len) TRY(wire_check_text(job->at, "at", 1, JOB_AT_MAX, NULL));
    if (id_is_none(job->file)) return RC_BAD;
    Sluice__Facts facts = wire_from_facts(&job->facts);
    Sluice__Job wire = SLUICE__JOB__INIT;
    wire.version = JOB_VERSION;
    wire.file = wire_from_id(&job->file);
    wire.facts = &facts;
    wire.stripe = job->stripe;
    wire.ready = job->ready;
    wire.closed = job->closed;
    wire.at = wire_from_str(job->at);
    return wire_pack(&wire.base, out);
}

static RC to_job(const Sluice__Job *from, struct str message, struct job *out, struct why *why) {
    if (from->version != JOB_VERSION) return why_set(why, RC_BAD, "version %u", from->version);
    struct job job = {.stripe = from->stripe, .ready = from->ready, .closed = from->closed};
    TRY(wire_to_id(from->file, "file", &job.file, why));
    if (id_is_none(job.file)) return why_set(why, RC_BAD, "no file");
    TRY(wire_to_facts(from->facts, &job.facts, why));
    job.facts.source = wire_borrow(from->facts->source, message);
    job.facts.uri = wire_borrow(from->facts->uri, message);
    if (from->at.len) {
        job.at = wire_borrow(from->at, message);
        TRY(wire_check_text(job.at, "at", 1, JOB_AT_MAX, why));
    }
    *out = job;
    return RC_OK;
}

RC job_decode(struct str message, struct job *out, struct why *why) {
    if (message.len > JOB_MESSAGE_MAX) return why_set(why, RC_BAD, "job: %zu bytes", message.len);
    AUTO(wire_done) struct wire wire = WIRE_INIT;
    ProtobufCMessage *unpacked = NULL;
    enum rc rc = wire_unpack(&wire, &sluice__job__descriptor, message, &unpacked, why);
    if (rc == RC_OK) rc = to_job((const Sluice__Job *)unpacked, message, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "job");
}
